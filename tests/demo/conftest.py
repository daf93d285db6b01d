from tests.demo_fixture import sample_organization

__all__ = ["sample_organization"]
