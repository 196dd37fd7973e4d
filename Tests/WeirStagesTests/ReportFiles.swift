#if canImport(Glibc)
  import Glibc
#endif

/// Writes a page to the folder that WEIR_REPORT_DIR names, for a person to look at; does nothing
/// where it is not set.
func writeIfWanted(_ bytes: [UInt8], _ name: String) throws {
  guard let folder = getenv("WEIR_REPORT_DIR") else { return }
  guard let file = fopen(String(cString: folder) + "/" + name, "w") else { throw CannotWrite() }
  defer { fclose(file) }
  guard fwrite(bytes, 1, bytes.count, file) == bytes.count else { throw CannotWrite() }
}

struct CannotWrite: Error {}
