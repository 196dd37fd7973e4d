// The limit: what the machine needs for the work that no pipeline can leave out.
//
//   limit z    THREADS LIST         decompress every shard named in the file LIST, one path a line
//   limit dom  THREADS LIST         the same, and parse every line in full with simdjson, looking
//                                   up what the report needs
//   limit pack THREADS LIST         decompress, and compress the text again at level 3 in frames of
//                                   1 MiB; counts only the time in the compressor
//   limit split PIECES OUT LIST     write the lines of the shards as PIECES shards OUT/part-NN.zst
//                                   of the same size: input for `pack` (measures nothing)
//
// A thread takes one shard after the other. Prints one JSON object: lines, malformed lines and
// bytes of text, so that the caller can see that all the work was done (only dom counts lines);
// for pack also the seconds in the compressor, over all threads and divided by their number, and
// the bytes that it made.
#include <simdjson.h>
#include <time.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "shard.hpp"

namespace {

constexpr int level = 3;
constexpr size_t frame_bytes = 1 << 20;

struct Totals {
  uint64_t lines = 0, malformed = 0, bytes = 0, packed = 0, touched = 0;
  double seconds = 0, cpu = 0;
};

double now(clockid_t clock) {
  timespec time;
  clock_gettime(clock, &time);
  return double(time.tv_sec) + double(time.tv_nsec) / 1e9;
}

/// Compresses text in frames of `frame_bytes`, and counts the time that this takes.
class Packer {
 public:
  Packer() {
    ZSTD_CCtx_setParameter(context_, ZSTD_c_compressionLevel, level);
    ZSTD_CCtx_setParameter(context_, ZSTD_c_checksumFlag, 1);
  }
  Packer(const Packer &) = delete;
  ~Packer() { ZSTD_freeCCtx(context_); }

  /// One frame; `out` holds it until the next call.
  size_t pack(const char *text, size_t length, Totals &totals) {
    out.resize(ZSTD_compressBound(length));
    const double wall = now(CLOCK_MONOTONIC), cpu = now(CLOCK_THREAD_CPUTIME_ID);
    const size_t packed = ZSTD_compress2(context_, out.data(), out.size(), text, length);
    totals.cpu += now(CLOCK_THREAD_CPUTIME_ID) - cpu;
    totals.seconds += now(CLOCK_MONOTONIC) - wall;
    if (ZSTD_isError(packed)) fail(std::string("zstd: ") + ZSTD_getErrorName(packed));
    totals.packed += packed;
    return packed;
  }
  std::vector<char> out;

 private:
  ZSTD_CCtx *context_ = ZSTD_createCCtx();
};

/// Gathers text until there is enough for a frame.
class Frames {
 public:
  template <class Frame>
  void add(const char *text, size_t length, Frame frame) {
    while (length > 0) {
      const size_t part = std::min(length, frame_bytes - gathered_.size());
      gathered_.insert(gathered_.end(), text, text + part);
      text += part;
      length -= part;
      if (gathered_.size() == frame_bytes) finish(frame);
    }
  }
  template <class Frame>
  void finish(Frame frame) {
    if (!gathered_.empty()) frame(gathered_.data(), gathered_.size());
    gathered_.clear();
  }

 private:
  std::vector<char> gathered_;
};

struct Worker {
  ShardReader reader{simdjson::SIMDJSON_PADDING};
  simdjson::dom::parser parser;
  Packer packer;
  Frames frames;
  Totals totals;

  void decompress(const std::string &path) {
    reader.read(path, [&](const char *, size_t length) {
      totals.bytes += length;
      return length;
    });
  }

  void parse(const std::string &path) {
    reader.lines(path, [&](const char *line, size_t length) {
      totals.bytes += length + 1;
      totals.lines++;
      visit(line, length);
    });
  }

  void pack(const std::string &path) {
    auto frame = [&](const char *text, size_t length) { packer.pack(text, length, totals); };
    reader.read(path, [&](const char *text, size_t length) {
      totals.bytes += length;
      frames.add(text, length, frame);
      return length;
    });
    frames.finish(frame);
  }

 private:
  // The fields of the report; `touched` keeps the work from being optimised away.
  void visit(const char *line, size_t length) {
    simdjson::dom::object record;
    if (parser.parse(line, length, false).get(record)) {
      totals.malformed++;
      return;
    }
    for (const char *key : {"event_id", "market", "queue", "decision"}) {
      std::string_view text;
      if (!record[key].get(text)) totals.touched += text.size();
    }
    for (const char *key : {"handle_ms", "revision"}) {
      int64_t number;
      if (!record[key].get(number)) totals.touched += uint64_t(number);
    }
  }
};

std::vector<std::string> read_list(const char *path) {
  std::vector<std::string> shards;
  std::ifstream list(path);
  for (std::string shard; std::getline(list, shard);) shards.push_back(shard);
  if (shards.empty()) fail(std::string("no shards in ") + path);
  return shards;
}

void split(size_t pieces, const std::string &out, const std::vector<std::string> &shards) {
  Packer packer;
  Totals totals;
  std::vector<FILE *> files;
  for (size_t i = 0; i < pieces; i++) {
    char name[32];
    std::snprintf(name, sizeof name, "/part-%02zu.zst", i);
    files.push_back(std::fopen((out + name).c_str(), "wbx"));
    if (!files[i]) fail("cannot create " + out + name);
  }
  size_t turn = 0;
  std::vector<char> gathered;
  auto write = [&] {
    if (gathered.empty()) return;
    const size_t packed = packer.pack(gathered.data(), gathered.size(), totals);
    if (std::fwrite(packer.out.data(), 1, packed, files[turn]) != packed) fail("cannot write");
    turn = (turn + 1) % pieces;
    gathered.clear();
  };
  ShardReader reader(0);
  for (const std::string &shard : shards) {
    reader.lines(shard, [&](const char *line, size_t length) {
      gathered.insert(gathered.end(), line, line + length);
      gathered.push_back('\n');
      totals.bytes += length + 1;
      if (gathered.size() >= 2 * frame_bytes) write();
    });
  }
  write();
  for (FILE *file : files)
    if (std::fclose(file) != 0) fail("cannot write");
  std::printf("{\"bytes\": %llu}\n", static_cast<unsigned long long>(totals.bytes));
}

}  // namespace

int main(int count, char **arguments) {
  const std::string mode = count > 1 ? arguments[1] : "";
  if (count == 2 && mode == "--version") {
    std::printf("libzstd %s, simdjson %s (%s)\n", ZSTD_versionString(),
                SIMDJSON_STRINGIFY(SIMDJSON_VERSION),
                simdjson::get_active_implementation()->name().c_str());
    return 0;
  }
  const int number = count > 2 ? std::atoi(arguments[2]) : 0;
  if (mode == "split" && count == 5 && number > 0 && number < 100) {
    split(size_t(number), arguments[3], read_list(arguments[4]));
    return 0;
  }
  void (Worker::*work)(const std::string &) = mode == "z"      ? &Worker::decompress
                                              : mode == "dom"  ? &Worker::parse
                                              : mode == "pack" ? &Worker::pack
                                                               : nullptr;
  if (!work || count != 4 || number < 1)
    fail("usage: limit z|dom|pack THREADS LIST, or limit split PIECES OUT LIST");

  const std::vector<std::string> shards = read_list(arguments[3]);
  std::vector<Worker> workers(static_cast<size_t>(number));
  std::vector<std::thread> running;
  std::atomic<size_t> next{0};
  for (Worker &worker : workers)
    running.emplace_back([&] {
      for (size_t i; (i = next++) < shards.size();) (worker.*work)(shards[i]);
    });
  for (std::thread &thread : running) thread.join();

  Totals sum;
  for (const Worker &worker : workers) {
    sum.lines += worker.totals.lines;
    sum.malformed += worker.totals.malformed;
    sum.bytes += worker.totals.bytes;
    sum.packed += worker.totals.packed;
    sum.touched += worker.totals.touched;
    sum.seconds += worker.totals.seconds;
    sum.cpu += worker.totals.cpu;
  }
  std::printf("{\"lines\": %llu, \"malformed\": %llu, \"bytes\": %llu, \"touched\": %llu, "
              "\"packed\": %llu, \"pack_wall\": %.6f, \"pack_cpu\": %.6f}\n",
              static_cast<unsigned long long>(sum.lines),
              static_cast<unsigned long long>(sum.malformed),
              static_cast<unsigned long long>(sum.bytes),
              static_cast<unsigned long long>(sum.touched),
              static_cast<unsigned long long>(sum.packed), sum.seconds / number, sum.cpu);
}
