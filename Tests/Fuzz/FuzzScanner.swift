import Glibc

// The entries of libFuzzer: one input for the scanner and the framer (ScannerCheck.swift says what is
// checked).

private nonisolated(unsafe) var check = ScannerCheck()
private nonisolated(unsafe) var inputs = 0
private nonisolated(unsafe) var lines = 0

@_cdecl("LLVMFuzzerInitialize")
public func fuzzBegin(_ count: UnsafeMutablePointer<CInt>?, _ arguments: OpaquePointer?) -> CInt {
  atexit { print("lines checked: \(lines + check.lineCount)") }
  return 0
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  // What was learned from other inputs is forgotten now and then, so that a finding can be repeated.
  inputs += 1
  if inputs % 256 == 0 {
    lines += check.lineCount
    check = ScannerCheck()
  }
  let input = Array(UnsafeBufferPointer(start: data, count: count))
  if let problem = check.problem(input) { fatalError(problem) }
  return 0
}
