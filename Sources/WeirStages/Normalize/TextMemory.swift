import WeirData

/// Values past these are worked out anew each time, in the memory of the batch.
private let rememberedMax = 16_384
private let rememberedBytesMax = 2 << 20

/// What was made of texts that came before, by their bytes. It lives as long as a worker, which outlives
/// every batch that it takes.
final class TextMemory<Note> {
  /// What was made of a text, and what is to be known of that.
  struct Outcome {
    /// With a code where it is remembered.
    var cell: Cell
    var note: Note
  }

  private let seen = ByteDictionary()
  private let made = ByteDictionary()
  /// By the code of a value in `seen`.
  private let outcomes = UnsafeMutablePointer<Outcome>.allocate(capacity: rememberedMax)
  private let space = ColumnCodes.makeSpace()
  private var bytes = 0

  deinit {
    outcomes.deinitialize(count: seen.count)
    outcomes.deallocate()
  }

  /// Those of the cells that were made.
  var codes: ColumnCodes { ColumnCodes(space: space, largest: UInt16(made.count)) }

  func outcome(of value: UnsafeBufferPointer<UInt8>) -> Outcome? {
    seen.find(value).map { outcomes[$0] }
  }

  /// Notes what was made of a value that is not known yet.
  func remember(
    _ text: UnsafeBufferPointer<UInt8>, _ note: Note, of value: UnsafeBufferPointer<UInt8>,
    in batch: inout Batch
  ) -> Outcome {
    let size = value.count + text.count
    guard seen.count < rememberedMax, bytes + size <= rememberedBytesMax else {
      return Outcome(cell: .string(batch.arena.store(text)), note: note)
    }
    bytes += size
    let outcome = Outcome(cell: made.cell(of: text), note: note)
    (outcomes + seen.code(of: value)).initialize(to: outcome)
    return outcome
  }
}
