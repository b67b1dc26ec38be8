"""Tools that come with Vivavoce, as plug-ins (entry points ``vivavoce.tools``): small, and to be copied from."""
