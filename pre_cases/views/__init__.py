"""Pages of the case files: method, scope, form, service, answer."""
