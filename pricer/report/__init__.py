"""A comparison as one HTML file that opens anywhere: no server, no key, no path of this machine."""
