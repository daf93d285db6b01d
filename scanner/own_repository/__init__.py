"""A repository of one's own: the files that `init` lays out in it, with the answers that were given."""
