import CSimdjson
import Testing
import WeirTesting

/// Both ways to find lines: the one with vector instructions, and the one for machines without them.
@Suite struct `The finder of lines` {
  private typealias Find =
    @convention(c) (
      UnsafePointer<UInt8>?, Int, Int, UnsafeMutablePointer<weir_framing>?,
      UnsafeMutablePointer<weir_line>?, Int
    ) -> Int

  /// All that a finder says about `text`, given room for `room` lines at a time.
  private func story(_ find: Find, _ text: [UInt8], longest: Int, room: Int) -> [[Int]] {
    var framing = weir_framing(at: 0, number: 7, blank: 0, oversized: 0)
    var lines = [weir_line](repeating: weir_line(), count: room)
    var story: [[Int]] = []
    while framing.at < text.count {
      let count = find(text, text.count, longest, &framing, &lines, room)
      for line in lines[..<count] {
        story.append([Int(line.start), Int(line.length), Int(line.number)])
      }
      story.append([framing.at, Int(framing.number), framing.blank, framing.oversized])
      guard framing.oversized > 0 else { continue }
      framing.at += framing.oversized
      while framing.at < text.count, text[framing.at] != 0x0A { framing.at += 1 }
      framing.at = min(text.count, framing.at + 1)
      framing.number += 1
    }
    return story
  }

  @Test func `says the same with vectors and without`() {
    var random = SeededRandom(seed: 3)
    for _ in 0..<3_000 {
      let gap = 1 + random.below(200)
      let text = (0..<random.below(700)).map { _ in
        random.oneIn(gap) ? 0x0A : random.pick([0x0D, 0x20, 0x61, 0x7B, 0x8A] as [UInt8])
      }
      let longest = 1 + random.below(300)
      let room = 1 + random.below(8)
      let vectors = story(weir_find_lines, text, longest: longest, room: room)
      let portable = story(weir_find_lines_portably, text, longest: longest, room: room)
      #expect(vectors == portable, "\(text)")
    }
  }
}
