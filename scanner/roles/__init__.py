"""The roles to deploy: their policies and their CloudFormation template, filled in. Calls nothing, writes nothing."""
