import CZstd
import Glibc

/// What went wrong with a file, in words for a person.
struct FileError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }

  /// With the system's words for `errno`.
  static func system(_ doing: String, _ path: String) -> FileError {
    FileError("cannot \(doing) \(path): \(String(cString: strerror(errno)))")
  }
}

/// Writes one zstd frame with a checksum. The same bytes written in the same order at the same
/// level by the same libzstd make the same file, in whatever pieces they come.
final class ZstdFile {
  private let path: String
  private let file: UnsafeMutablePointer<FILE>
  private let context: OpaquePointer
  private let input: UnsafeMutablePointer<UInt8>
  private var inputCount = 0
  private let output: UnsafeMutablePointer<UInt8>
  private let outputCapacity = ZSTD_CStreamOutSize()
  private static let inputCapacity = 1 << 20
  private var isOpen = true

  /// - Parameters:
  ///   - path: must not exist.
  ///   - level: of libzstd, 1 to 22.
  init(path: String, level: Int) throws {
    guard let file = fopen(path, "wx") else { throw FileError.system("create", path) }
    guard let context = ZSTD_createCCtx() else {
      fclose(file)
      throw FileError("no memory for compressing \(path)")
    }
    self.path = path
    self.file = file
    self.context = context
    input = .allocate(capacity: ZstdFile.inputCapacity)
    output = .allocate(capacity: outputCapacity)
    try check(ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, Int32(level)))
    try check(ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1))
  }

  deinit {
    if isOpen { fclose(file) }
    ZSTD_freeCCtx(context)
    input.deallocate()
    output.deallocate()
  }

  func write(_ bytes: UnsafeBufferPointer<UInt8>) throws {
    guard var from = bytes.baseAddress else { return }
    var left = bytes.count
    while left > 0 {
      let part = min(left, ZstdFile.inputCapacity - inputCount)
      memcpy(input + inputCount, from, part)
      inputCount += part
      from += part
      left -= part
      if inputCount == ZstdFile.inputCapacity { try compress(ZSTD_e_continue) }
    }
  }

  /// Ends the frame and closes the file; nothing can be written after it.
  func finish() throws {
    try compress(ZSTD_e_end)
    isOpen = false
    guard fclose(file) == 0 else { throw FileError.system("write", path) }
  }

  private func compress(_ directive: ZSTD_EndDirective) throws {
    var from = ZSTD_inBuffer(src: input, size: inputCount, pos: 0)
    while true {
      var to = ZSTD_outBuffer(dst: output, size: outputCapacity, pos: 0)
      let left = ZSTD_compressStream2(context, &to, &from, directive)
      try check(left)
      guard fwrite(output, 1, to.pos, file) == to.pos else { throw FileError.system("write", path) }
      if directive == ZSTD_e_end ? left == 0 : from.pos == from.size { break }
    }
    inputCount = 0
  }

  private func check(_ result: Int) throws {
    guard ZSTD_isError(result) == 0 else {
      throw FileError("cannot compress \(path): \(String(cString: ZSTD_getErrorName(result)))")
    }
  }
}
