"""Tools that come with Vivavoce, as plug-ins (entry points ``vivavoce.tools``): small, and to be copied from. What they work
out stands in files of its own beside them."""
