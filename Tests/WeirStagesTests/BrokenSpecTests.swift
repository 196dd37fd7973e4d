import Glibc
import Testing
import WeirData
import WeirEngine
import WeirStages
import WeirTesting

/// The specs in `Tests/Broken`, one mistake of a person each, and beside each what `weir validate` says of it.
///
/// `WEIR_UPDATE_BROKEN=1` writes what is said now; read the difference before you commit it.
private let folder = repository + "/Tests/Broken"

private let names = listFolder(folder).filter { $0.hasSuffix(".json") }
  .map { String($0.dropLast(5)) }

private func problems(_ bytes: [UInt8], _ path: String) -> Problems {
  var (spec, problems) = Spec.load(
    bytes, file: path, registry: .standard, given: GivenParams(), now: 1_790_000_000,
    allowMissingParams: true)
  if let checked = spec {
    spec = nil
    _ = Plan.make(checked, problems: &problems)
  }
  return problems
}

@Suite struct `A spec with a mistake that people make` {
  @Test func `there are enough of them`() { #expect(names.count >= 80) }

  @Test(arguments: names)
  func `is told just what its page says`(name: String) throws {
    let path = "\(folder)/\(name).json"
    let found = problems(try readWholeFile(path, limit: 1 << 20), path)
    let text = found.text.replacing(folder + "/", with: "").replacing(folder, with: ".")
    if getenv("WEIR_UPDATE_BROKEN") != nil {
      try writePage(Array(text.utf8), at: "\(folder)/\(name).txt")
      return
    }
    let expected = try readWholeFile("\(folder)/\(name).txt", limit: 1 << 20)
    #expect(text == String(decoding: expected, as: UTF8.self))
    #expect(!found.isEmpty)
    #expect(found.text == problems(try readWholeFile(path, limit: 1 << 20), path).text)
  }

  @Test(arguments: names)
  func `says what would be right or what to do`(name: String) throws {
    let path = "\(folder)/\(name).json"
    for problem in problems(try readWholeFile(path, limit: 1 << 20), path).sorted {
      #expect(problem.fix != nil || problem.expected != nil, "\(problem.text)")
    }
  }

  /// What a fix shows as JSON is put where the caret is: then that problem must be gone.
  @Test(arguments: names)
  func `is mended by putting the fix in the place`(name: String) throws {
    let path = "\(folder)/\(name).json"
    let bytes = try readWholeFile(path, limit: 1 << 20)
    for problem in problems(bytes, path).sorted where problem.file == path {
      guard let replacement = problem.replacement else { continue }
      let mended =
        bytes[..<problem.range.lowerBound] + Array(replacement.utf8)
        + bytes[problem.range.upperBound...]
      let left = problems(Array(mended), path).sorted
      #expect(
        !left.contains {
          $0.code == problem.code && $0.range.lowerBound == problem.range.lowerBound
        },
        "\(problem.text)")
    }
  }

  @Test(arguments: names)
  func `is said the same way to machines`(name: String) throws {
    let path = "\(folder)/\(name).json"
    let found = problems(try readWholeFile(path, limit: 1 << 20), path)
    let log = try JSONValue(reading: Array(Problems.sarif([found]).utf8))
    #expect(log["version"]?.string == "2.1.0")
    guard case .array(let runs)? = log["runs"], case .array(let results)? = runs.first?["results"],
      case .array(let rules)? = runs.first?["tool"]?["driver"]?["rules"]
    else { return #expect(Bool(false), "no results") }
    #expect(results.count == min(found.count, Problems.shownLimit))
    for result in results {
      // What the schema of SARIF asks for: a text, a level it knows, a rule that is listed, places from 1.
      #expect(result["message"]?["text"]?.string?.isEmpty == false)
      #expect(["error", "warning"].contains(result["level"]?.string ?? ""))
      guard case .int(let index)? = result["ruleIndex"], rules.indices.contains(Int(index))
      else {
        #expect(Bool(false), "no rule")
        continue
      }
      #expect(rules[Int(index)]["id"]?.string == result["ruleId"]?.string)
      guard case .array(let places)? = result["locations"],
        let region = places.first?["physicalLocation"]?["region"],
        case .int(let line)? = region["startLine"], case .int(let column)? = region["startColumn"],
        case .int(let endLine)? = region["endLine"], case .int(let endColumn)? = region["endColumn"]
      else {
        #expect(Bool(false), "no place")
        continue
      }
      #expect(line >= 1 && column >= 1 && (endLine, endColumn) >= (line, column))
    }
  }

  @Test func `of any size is refused with a word`() {
    func code(_ text: String) -> String? {
      problems(Array(text.utf8), "big.json").sorted.first?.code
    }
    #expect(code(String(repeating: " ", count: 100 << 20)) == "too_large")
    #expect(code(String(repeating: "[", count: 10_000)) == "too_deep")
    #expect(code(#"{"a":"# + String(repeating: #"{"a":"#, count: 10_000)) == "too_deep")
    let stages = (0..<100_000).map { "\"s\($0)\":{}" }.joined(separator: ",")
    #expect(code(#"{"name":"x","transforms":{\#(stages)}}"#) == "too_large")
    let fewer = (0..<60_000).map { "\"s\($0)\":{}" }.joined(separator: ",")
    #expect(code(#"{"name":"x","transforms":{\#(fewer)}}"#) == "too_many_stages")
    let expression = String(repeating: "score+", count: 170_000) + "score"
    let spec = """
      {"name":"x","sources":{"d":{"type":"jsonl","paths":["*.jsonl"],"fields":{"score":"number"}}},
       "transforms":{"f":{"type":"filter","inputs":["d"],"where":"\(expression.prefix(1_000_000)) > 1"}},
       "sinks":{"o":{"type":"jsonl","inputs":["f"],"path":"o.jsonl"}}}
      """
    #expect(code(spec) == "bad_expression")
  }
}

@Suite struct `The layout of specs` {
  private func files() throws -> [String] {
    let pipelines = listFolder(repository + "/pipelines").filter { $0.hasSuffix(".json") }
    return pipelines.map { repository + "/pipelines/" + $0 } + names.map { "\(folder)/\($0).json" }
  }

  @Test func `does not change what a spec says, and is found once`() throws {
    var formatted = 0
    for path in try files() {
      let bytes = try readWholeFile(path, limit: 1 << 20)
      guard let once = SpecFormat.format(bytes, file: path).text else { continue }
      formatted += 1
      #expect(SpecFormat.format(once, file: path).text == once, "\(path)")
      #expect(try tokens(once) == tokens(bytes), "\(path)")
    }
    #expect(formatted > 60)
  }

  /// The text without white space outside of strings.
  private func tokens(_ bytes: [UInt8]) throws -> [UInt8] {
    var out: [UInt8] = []
    var isInside = false
    var isEscaped = false
    for byte in bytes {
      if isInside {
        out.append(byte)
        if isEscaped {
          isEscaped = false
        } else if byte == UInt8(ascii: "\\") {
          isEscaped = true
        } else if byte == UInt8(ascii: "\"") {
          isInside = false
        }
      } else if ![0x20, 0x0A, 0x0D, 0x09].contains(byte) {
        out.append(byte)
        isInside = byte == UInt8(ascii: "\"")
      }
    }
    return out
  }

  @Test func `is that of the pipelines`() throws {
    for path in try files() where path.contains("/pipelines/") && !TestFile.isOne(path) {
      let bytes = try readWholeFile(path, limit: 1 << 20)
      let isKept = SpecFormat.format(bytes, file: path).text == bytes
      #expect(isKept, "weir fmt \(path)")
    }
  }

  @Test func `keeps numbers, escapes and the order of keys as they were written`() {
    let text =
      #"{"name":"x","b":[1.50,1e3,"\u00e9\/"],"a":{"z":1,"y":{}},"sources":{"s":{"type":"t"}}}"#
    let formatted = SpecFormat.format(Array(text.utf8), file: "x").text
    #expect(
      String(decoding: formatted ?? [], as: UTF8.self) == #"""
        {
          "name": "x",
          "b": [1.50, 1e3, "\u00e9\/"],
          "a": { "z": 1, "y": {} },
          "sources": {
            "s": { "type": "t" }
          }
        }

        """#)
  }
}
