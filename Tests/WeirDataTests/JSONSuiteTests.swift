import Testing
import WeirTesting

@testable import WeirData

/// Nicolas Seriot's suite: y_ is JSON, n_ is not, i_ is for the reader to say.
@Suite(
  .enabled(
    if: SharedData.has("data/json-test-suite"), "needs ../shared/data/json-test-suite"))
struct `The JSON test suite` {
  private let folder = "data/json-test-suite/test_parsing"
  private var names: [String] { SharedData.names(in: folder) }

  /// What Weir does with the files on which RFC 8259 leaves the choice, and why.
  private static let choices: [String: (code: String?, why: String)] = {
    var table: [String: (code: String?, why: String)] = [
      "i_object_key_lone_2nd_surrogate": (nil, "such a key is JSON and cannot be a planned one"),
      "i_string_utf16BE_no_BOM": ("invalid_json", "RFC 8259, 8.1: text is UTF-8; 00 is no space"),
      "i_string_utf16LE_no_BOM": ("invalid_json", "RFC 8259, 8.1: text is UTF-8; 00 is no space"),
      "i_structure_500_nested_arrays": ("not_an_object", "depth has no limit"),
      "i_structure_UTF-8_BOM_empty_object": (
        "invalid_json", "a mark at the head of a shard is dropped by the framer, no other is"
      ),
    ]
    for name in [
      "i_number_double_huge_neg_exp",
      "i_number_huge_exp",
      "i_number_neg_int_huge_exp",
      "i_number_pos_double_huge_exp",
      "i_number_real_neg_overflow",
      "i_number_real_pos_overflow",
      "i_number_real_underflow",
      "i_number_too_big_neg_int",
      "i_number_too_big_pos_int",
      "i_number_very_big_negative_int",
    ] {
      table[name] = ("not_an_object", "a number of any size is JSON; only reading it can fail")
    }
    for name in [
      "i_string_1st_surrogate_but_2nd_missing",
      "i_string_1st_valid_surrogate_2nd_invalid",
      "i_string_incomplete_surrogate_and_escape_valid",
      "i_string_incomplete_surrogate_pair",
      "i_string_incomplete_surrogates_escape_valid",
      "i_string_invalid_lonely_surrogate",
      "i_string_invalid_surrogate",
      "i_string_inverted_surrogates_U+1D11E",
      "i_string_lone_second_surrogate",
    ] {
      table[name] = ("not_an_object", "half a pair as an escape is JSON; only reading it can fail")
    }
    for name in [
      "i_string_UTF-16LE_with_BOM",
      "i_string_UTF-8_invalid_sequence",
      "i_string_UTF8_surrogate_U+D800",
      "i_string_invalid_utf-8",
      "i_string_iso_latin_1",
      "i_string_lone_utf8_continuation_byte",
      "i_string_not_in_unicode_range",
      "i_string_overlong_sequence_2_bytes",
      "i_string_overlong_sequence_6_bytes",
      "i_string_overlong_sequence_6_bytes_null",
      "i_string_truncated-utf-8",
    ] {
      table[name] = ("invalid_utf8", "RFC 8259, 8.1: text is UTF-8")
    }
    return table
  }()

  private func verdict(_ document: [UInt8]) -> Verdict {
    let fields = planned([("a", "any?"), ("b", "any?"), ("title", "any?")])
    return scan([document], RecordScanner(fields: fields))[0]
  }

  @Test func `is all there`() {
    #expect(names.count == 318)
  }

  @Test func `is accepted and refused as it says`() throws {
    for name in names where !name.hasPrefix("i_") {
      let document = try SharedData.bytes(folder + "/" + name)
      let first = document.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
      let verdict = verdict(document)
      if name.hasPrefix("n_") {
        #expect(["invalid_json", "invalid_utf8"].contains(verdict.code), "\(name): \(verdict)")
        #expect(exactError(document) != nil, "\(name)")
      } else if first == UInt8(ascii: "{") {
        // Keys that stand twice are JSON, but no record that could be trusted.
        let isDoubled = name.hasPrefix("y_object_duplicated_key")
        #expect(verdict.code == (isDoubled ? "duplicate_key" : nil), "\(name): \(verdict)")
        #expect(exactError(document) == nil, "\(name)")
      } else {
        #expect(verdict.code == "not_an_object", "\(name): \(verdict)")
        #expect(exactError(document) == nil, "\(name)")
      }
    }
  }

  @Test func `is decided where the choice is free`() throws {
    let free = names.filter { $0.hasPrefix("i_") }.map { String($0.dropLast(5)) }
    #expect(free == Self.choices.keys.sorted())
    for name in free {
      let document = try SharedData.bytes(folder + "/" + name + ".json")
      let verdict = verdict(document)
      #expect(verdict.code == Self.choices[name]?.code, "\(name): \(verdict)")
    }
  }

  @Test func `gets the same verdicts from the exact reader alone`() throws {
    let scanner = RecordScanner(fields: planned([("a", "any?"), ("b", "any?")]))
    let documents = try names.map { try SharedData.bytes(folder + "/" + $0) }
    let fast = scan(documents, scanner)
    let exact = scan(documents, scanner, exactly: true)
    for (i, name) in names.enumerated() { #expect(fast[i] == exact[i], "\(name)") }
  }
}
