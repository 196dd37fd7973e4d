/// The version of Weir: part of what every output is a function of.
public let weirVersion = "0.1.0"
