import Glibc
import WeirData

/// What a plan does where a stage names a secret.
public enum SecretUse: Sendable {
  /// It must be there: for runs.
  case required
  /// Where it is not there, a stand-in is used, with a warning: for what only looks.
  case orStandIn
  /// Always the stand-in: what a test expects must be the same for everyone, and must not be made with a
  /// secret.
  case standIn
}

extension BindContext {
  /// Stands before the names of secrets among the files that a plan depends on: what is hashed for them
  /// is not the secret, but something made with it that does not give it away.
  static let secretFolder = "secret/"
  /// Fewer bytes than these can be guessed.
  static let secretBytesMin = 16

  /// The key in the place of a secret that is not asked for or not there. Everyone can make it: it hides
  /// nothing, and is for what leaves no output.
  static func standIn(for name: String) -> [UInt8] {
    sha256(Array("weir stand-in for the secret \(name)".utf8))
  }

  /// The bytes of a secret: the environment variable `WEIR_SECRET_NAME`, or the file `NAME` in the
  /// folder that `WEIR_SECRETS` names, without its last line end. They are never shown or stored.
  ///
  /// - Returns: a stand-in where the plan is not for a run (``SecretUse``); `nil` with a problem where
  ///   there is no secret, or a bad one.
  public func secret(
    _ name: String, at node: SpecNode, _ problems: inout Problems
  ) -> [UInt8]? {
    guard isPlainName(name) else {
      problems.add(
        "bad_secret_name", at: node, "\(shown(name)) is not the name of a secret",
        expected: "letters, digits, _ and -", fix: "\"pseudonyms\"")
      return nil
    }
    if case .standIn = secrets { return noted(BindContext.standIn(for: name), name) }
    let variable = "WEIR_SECRET_" + String(decoding: name.utf8.map { $0.upperName }, as: UTF8.self)
    var found = getenv(variable).map { Array(String(cString: $0).utf8) }
    if found == nil, let folder = getenv("WEIR_SECRETS") {
      found = try? readWholeFile(joinPath(String(cString: folder), name), limit: 1 << 16)
      while let last = found?.last, last == 0x0A || last == 0x0D { found?.removeLast() }
    }
    guard let found else {
      var isNeeded = true
      if case .orStandIn = secrets { isNeeded = false }
      problems.add(
        "missing_secret", at: node,
        isNeeded
          ? "there is no secret \(shown(name))"
          : "there is no secret \(shown(name)), which a run needs: what is shown without it is made with a key that everyone knows",
        expected:
          "the environment variable \(variable), or a file \(name) in the folder $WEIR_SECRETS",
        fix: "export \(variable)=\"$(openssl rand -hex 32)\", once, and keep it",
        severity: isNeeded ? .error : .warning)
      return isNeeded ? nil : noted(BindContext.standIn(for: name), name)
    }
    guard found.count >= BindContext.secretBytesMin else {
      problems.add(
        "weak_secret", at: node, "the secret \(shown(name)) is so short that it can be guessed",
        expected: "at least \(BindContext.secretBytesMin) bytes",
        fix: "make one with: openssl rand -hex 32")
      return nil
    }
    return noted(found, name)
  }

  /// Makes a key part of the identity of the run.
  private func noted(_ key: [UInt8], _ name: String) -> [UInt8] {
    noteFile(
      BindContext.secretFolder + name,
      HMACSHA256(key: key).digest(Array("weir secret \(name)".utf8)))
    return key
  }
}

extension UInt8 {
  /// As it stands in the name of an environment variable.
  fileprivate var upperName: UInt8 {
    switch self {
    case UInt8(ascii: "a")...UInt8(ascii: "z"): self - 32
    case UInt8(ascii: "-"): UInt8(ascii: "_")
    default: self
    }
  }
}

extension Plan {
  /// Whether keys that everyone can make stand in the place of secrets, and nothing warned of it.
  public var usesStandIns: Bool {
    guard case .standIn = spec.secrets else { return false }
    return referencedFiles.contains { $0.path.utf8.starts(with: BindContext.secretFolder.utf8) }
  }
}
