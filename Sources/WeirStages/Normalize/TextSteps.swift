import WeirData

/// What is done to the text of one field, in this order: NFC, trim, case, replace, map, values.
struct TextSteps: Sendable {
  enum Case: String, Sendable { case upper, lower }

  /// What becomes of a value that `map` or `values` do not know.
  enum Unmapped: String, Sendable { case quarantine, keep, null }

  enum Verdict: Sendable { case text, null, unmapped, notInValues }

  var composes = false
  var trims = false
  var letterCase: Case?
  var replacements: Replacements?
  var map: [[UInt8]: [UInt8]]?
  var values: Set<[UInt8]>?
  var unmapped = Unmapped.quarantine

  /// The steps before `map`, which change text by rule.
  var hasRules: Bool { composes || trims || letterCase != nil || replacements != nil }

  /// Changes `text` in place; it holds what the steps made of it also where the value is refused.
  ///
  /// - Parameter spare: memory to work in.
  func run(_ text: inout [UInt8], spare: inout [UInt8]) -> Verdict {
    applyRules(&text, spare: &spare)
    if let map {
      if let mapped = map[text] {
        text.removeAll(keepingCapacity: true)
        text.append(contentsOf: mapped)
      } else {
        switch unmapped {
        case .quarantine: return .unmapped
        case .null: return .null
        case .keep: break
        }
      }
    }
    if let values, !values.contains(text) {
      switch unmapped {
      case .quarantine: return .notInValues
      case .null: return .null
      case .keep: break
      }
    }
    return .text
  }

  private func applyRules(_ text: inout [UInt8], spare: inout [UInt8]) {
    if composes { UnicodeText.composeCanonically(&text) }
    if trims { trim(&text) }
    if let letterCase {
      change(&text, to: letterCase)
      // A capital can come apart: ΐ has none of its own.
      if composes { UnicodeText.composeCanonically(&text) }
    }
    replacements?.apply(&text, spare: &spare)
  }

  private func trim(_ text: inout [UInt8]) {
    let kept = text.withUnsafeBufferPointer { all -> Range<Int> in
      let inner = UnicodeText.trimmed(all)
      guard let base = all.baseAddress, let start = inner.baseAddress else { return 0..<0 }
      return (start - base)..<(start - base + inner.count)
    }
    text.removeSubrange(kept.upperBound...)
    text.removeSubrange(..<kept.lowerBound)
  }

  private func change(_ text: inout [UInt8], to letterCase: Case) {
    switch letterCase {
    case .upper: UnicodeText.uppercase(&text)
    case .lower: UnicodeText.lowercase(&text)
    }
  }

  // MARK: Keys that no value can have

  /// Why no value is ever `key` after the steps before `map`, and what it is after them, where that is plain;
  /// `nil` where one may be. Says nothing of what only several replacements together rule out.
  func reasonNever(_ key: [UInt8]) -> (reason: String, becomes: [UInt8]?)? {
    guard let replacements else {
      var text = key
      if composes {
        UnicodeText.composeCanonically(&text)
        if text != key { return ("`unicode` composes its characters", text) }
      }
      if trims {
        trim(&text)
        if text != key { return ("`trim` cuts its white space", text) }
      }
      if let letterCase {
        change(&text, to: letterCase)
        if text != key { return ("`case` makes every letter \(letterCase.rawValue)", text) }
      }
      return nil
    }
    if let letterCase {
      // Only what is put in can have letters of the other case.
      func isStable(_ text: [UInt8]) -> Bool {
        var changed = text
        change(&changed, to: letterCase)
        return changed == text
      }
      if !isStable(key), replacements.entries.allSatisfy({ isStable($0.to) }) {
        var changed = key
        change(&changed, to: letterCase)
        return ("`case` makes every letter \(letterCase.rawValue)", changed)
      }
    }
    for entry in replacements.entries where isOneScalar(entry.from) {
      if holds(key, entry.from), !replacements.entries.contains(where: { holds($0.to, entry.from) })
      {
        return ("`replace` leaves no \"\(String(decoding: entry.from, as: UTF8.self))\"", nil)
      }
    }
    return nil
  }
}

private func isOneScalar(_ text: [UInt8]) -> Bool {
  text.count(where: { $0 & 0xC0 != 0x80 }) == 1
}

private func holds(_ text: [UInt8], _ part: [UInt8]) -> Bool {
  guard text.count >= part.count else { return false }
  return (0...(text.count - part.count)).contains { text[$0...].starts(with: part) }
}
