"""From a Manifest to diagnostics: rules that nothing else depends on."""
