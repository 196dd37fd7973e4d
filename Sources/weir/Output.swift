import ArgumentParser
import Glibc
import WeirData
import WeirEngine

/// Writes text and notices when it cannot: a result that did not arrive must not look like success.
func emit(_ text: String, to descriptor: Int32) throws {
  var text = text
  try text.withUTF8 { bytes in
    var written = 0
    while written < bytes.count {
      let count = write(descriptor, bytes.baseAddress! + written, bytes.count - written)
      if count < 0 {
        if errno == EINTR { continue }
        throw ExitCode(1)
      }
      written += count
    }
  }
}

/// A result, on stdout.
func say(_ text: String) throws { try emit(text + "\n", to: STDOUT_FILENO) }

/// A message, on stderr. That it cannot be shown changes nothing about what happened.
func tell(_ text: String) {
  do { try emit(text + "\n", to: STDERR_FILENO) } catch {}
}

/// `3,919,153`.
func grouped(_ value: Int) -> String {
  (value < 0 ? "-" : "") + groupedDigits(value.magnitude)
}

/// A number with a fixed count of digits behind the point.
func fixed(_ value: Double, _ digits: Int) -> String {
  var scale = 1.0
  for _ in 0..<digits { scale *= 10 }
  let rounded = Int((value * scale).rounded())
  guard digits > 0 else { return String(rounded) }
  let fraction = String(abs(rounded) % Int(scale))
  let zeros = String(repeating: "0", count: digits - fraction.count)
  return "\(rounded < 0 ? "-" : "")\(abs(rounded) / Int(scale)).\(zeros)\(fraction)"
}

/// Says what went wrong, with exit status 1; with `json` as an object on stdout too.
func failing<Value>(json: Bool, _ body: () throws -> Value) throws -> Value {
  do {
    return try body()
  } catch let exit as ExitCode {
    throw exit
  } catch {
    let error = RunError(error)
    tell("\(printable(error.message))\n  try: \(printable(error.fix))")
    if json { try say(QuarantineJSON.failed(error.code, error.message)) }
    throw ExitCode(1)
  }
}

/// Says what went wrong with a pipeline that was not run.
///
/// - Returns: 64 for a stage that the command line names and the spec has not, else 1.
func told(_ error: any Error, _ pipeline: String) -> ExitCode {
  switch error {
  case let exit as ExitCode: return exit
  case let mistake as StageReference.Mistake:
    tell("Error: \(mistake.message)\n  try: \(mistake.fix)")
    return ExitCode(64)
  default:
    let error = RunError(error)
    tell("\(pipeline): \(error.message)\n  try: \(error.fix)")
    return ExitCode(1)
  }
}
