import WeirStatistics

/// How to read the page, and how to get the same one again.
struct ReportMethod {
  var model: ReportModel

  private var page: ReportPage { model.page }

  func markup() -> ReportMarkup {
    """
    <section id=method><h2>How to read it, and how to get the same again</h2><div class=under>\
    <dl class=pairs>\(pairs(words))</dl><div>\(identityList())</div></div></section>
    """
  }

  /// What identifies the run, and the command that makes the same again.
  func identityList() -> ReportMarkup {
    """
    <dl class=pairs>\(pairs(identity))</dl>\
    <p class=sub>The same again:</p><pre><code>\(command)</code></pre>
    """
  }

  private func pairs(_ rows: [(String, ReportMarkup)]) -> ReportMarkup {
    rows.map { "<dt>\($0.0)</dt><dd>\($0.1)</dd>" as ReportMarkup }.joined()
  }

  private var words: [(String, ReportMarkup)] {
    let settings = page.settings
    let bucket = model.bucketWord
    let relative = ReportNumber.chosenPercent(settings.materialRelative)
    let points = ReportNumber.plain(100 * settings.materialRateDifference)
    let events = ReportNumber.plain(settings.materialEvents)
    let rate = ReportNumber.chosenPercent(settings.falseDiscoveryRate)
    return [
      (
        "Expected band",
        """
        What a single \(bucket) would have shown had nothing changed: the level, the weekday, \
        sampling noise and the series' own unrest. 95 of 100 quiet \(bucket)s lie inside.
        """
      ),
      (
        "Finding",
        """
        A change that survives control of the false discovery rate (\(rate)) over all \
        \(ReportNumber.integer(model.tested)) series tested.
        """
      ),
      (
        "Ranked",
        """
        A finding of at least \(relative) of the level that also is \(points)\u{A0}pp of a rate or \
        more, or concerns \(events) \(page.recordNoun) or more. Others are certain but small.
        """
      ),
      (
        "Impact",
        """
        \(reportTitle(page.recordNoun)) above or below what was expected while the change lasted, \
        with the 95 % interval. For means, quantiles and distinct values: those concerned.
        """
      ),
      (
        "Spike, dip, burst",
        "One \(bucket) above, one below, or a few in a row on one side of what was expected."
      ),
      (
        "Level shift",
        """
        A new level for \(settings.minSegment) \(bucket)s or more. The date is the likeliest one; \
        the shade shows where else it may lie.
        """
      ),
      (
        "Trend",
        "A slow movement over the whole history; \(settings.minHistory) \(bucket)s are needed."
      ),
      (
        "q", "The share of false findings to expect if everything up to this one is taken as real.",
      ),
      ("pp", "Percentage points: from 8 % to 13 % is 5 pp."),
    ]
  }

  private var identity: [(String, ReportMarkup)] {
    var rows: [(String, ReportMarkup)] = page.hashes.map { hash in
      (hash.name, "<code>\(hash.value)</code>")
    }
    let inputs = page.inputs
    rows.append(
      (
        "Inputs",
        """
        \(ReportNumber.integer(inputs.shards)) shard\(inputs.shards == 1 ? "" : "s"), \
        \(ReportNumber.size(inputs.bytes)) <code>\(inputs.hash)</code>
        """
      ))
    rows.append(("Version", "Weir \(page.version)"))
    if !page.dataFiles.isEmpty {
      let names = page.dataFiles.map { "<code>\($0)</code>" as ReportMarkup }
      rows.append(("Beside this file", names.joined(", ")))
    }
    return rows
  }

  private var command: ReportMarkup {
    // A path that the spec gives is read from elsewhere than one on the command line: it is the
    // reader who knows which were given.
    let rest: ReportMarkup = page.parameters.isEmpty ? "" : " with the parameters named above"
    return "weir run \(quoted(page.specFile))\(rest)"
  }

  /// For a shell: quoted where any byte is not plain.
  private func quoted(_ word: String) -> String {
    let isPlain = word.utf8.allSatisfy { byte in
      (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte)
        || (0x41...0x5A).contains(byte) || "._-/=:,+@".utf8.contains(byte)
    }
    if isPlain && !word.utf8.isEmpty { return word }
    var bytes: [UInt8] = [0x27]
    for byte in word.utf8 {
      if byte == 0x27 { bytes += "'\\''".utf8 } else { bytes.append(byte) }
    }
    bytes.append(0x27)
    return String(decoding: bytes, as: UTF8.self)
  }
}
