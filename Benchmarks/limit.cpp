// The limit: what the machine needs for the work that no pipeline can leave out.
//
//   limit z|dom THREADS LIST
//
// z:   decompress every shard named in the file LIST (one path a line)
// dom: the same, and parse every line in full with simdjson, looking up what the report needs
//
// A thread takes one shard after the other. Prints one JSON object: lines, malformed lines and
// decompressed bytes, so that the caller can see that all the work was done (z counts no lines).
#include <simdjson.h>
#include <zstd.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

namespace {

[[noreturn]] void fail(const std::string &what) {
  std::fprintf(stderr, "limit: %s\n", what.c_str());
  std::exit(1);
}

struct Totals {
  uint64_t lines = 0, malformed = 0, bytes = 0, touched = 0;
};

// Parses and visits the fields of the report; `touched` keeps the work from being optimised away.
void parse(simdjson::dom::parser &parser, const char *line, size_t length, Totals &totals) {
  totals.lines++;
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

struct Worker {
  ZSTD_DCtx *context = ZSTD_createDCtx();
  simdjson::dom::parser parser;
  std::vector<char> input = std::vector<char>(1 << 20);
  std::vector<char> text = std::vector<char>(8 << 20);
  Totals totals;

  ~Worker() { ZSTD_freeDCtx(context); }

  void shard(const std::string &path, bool parses) {
    FILE *file = std::fopen(path.c_str(), "rb");
    if (!file) fail("cannot open " + path);
    ZSTD_DCtx_reset(context, ZSTD_reset_session_only);
    size_t kept = 0;  // bytes of an unfinished line at the start of `text`
    size_t pending = 0;
    while (size_t count = std::fread(input.data(), 1, input.size(), file)) {
      ZSTD_inBuffer in{input.data(), count, 0};
      bool full = false;
      while (in.pos < in.size || full) {
        const size_t capacity = text.size() - simdjson::SIMDJSON_PADDING;
        if (kept == capacity) fail("a line is too long in " + path);
        ZSTD_outBuffer out{text.data() + kept, capacity - kept, 0};
        pending = ZSTD_decompressStream(context, &out, &in);
        if (ZSTD_isError(pending)) fail(path + ": " + ZSTD_getErrorName(pending));
        full = out.pos == out.size;
        totals.bytes += out.pos;
        if (parses) kept = lines(kept + out.pos);
      }
    }
    if (std::ferror(file)) fail("cannot read " + path);
    std::fclose(file);
    if (pending != 0) fail(path + " is cut off");
    if (kept > 0) parse(parser, text.data(), kept, totals);
  }

  // Parses the whole lines of the first `end` bytes; moves the rest to the front and returns its
  // length.
  size_t lines(size_t end) {
    size_t start = 0;
    while (const void *hit = std::memchr(text.data() + start, '\n', end - start)) {
      const size_t length = size_t(static_cast<const char *>(hit) - text.data()) - start;
      parse(parser, text.data() + start, length, totals);
      start += length + 1;
    }
    std::memmove(text.data(), text.data() + start, end - start);
    return end - start;
  }
};

}  // namespace

int main(int count, char **arguments) {
  if (count == 2 && std::string(arguments[1]) == "--version") {
    std::printf("libzstd %s, simdjson %s (%s)\n", ZSTD_versionString(),
                SIMDJSON_STRINGIFY(SIMDJSON_VERSION),
                simdjson::get_active_implementation()->name().c_str());
    return 0;
  }
  const std::string mode = count == 4 ? arguments[1] : "";
  const int threads = count == 4 ? std::atoi(arguments[2]) : 0;
  if ((mode != "z" && mode != "dom") || threads < 1) fail("usage: limit z|dom THREADS LIST");

  std::vector<std::string> shards;
  std::ifstream list(arguments[3]);
  for (std::string path; std::getline(list, path);) shards.push_back(path);
  if (shards.empty()) fail(std::string("no shards in ") + arguments[3]);

  std::vector<Worker> workers(static_cast<size_t>(threads));
  std::vector<std::thread> running;
  std::atomic<size_t> next{0};
  for (Worker &worker : workers)
    running.emplace_back([&] {
      for (size_t i; (i = next++) < shards.size();) worker.shard(shards[i], mode == "dom");
    });
  for (std::thread &thread : running) thread.join();

  Totals sum;
  for (const Worker &worker : workers) {
    sum.lines += worker.totals.lines;
    sum.malformed += worker.totals.malformed;
    sum.bytes += worker.totals.bytes;
    sum.touched += worker.totals.touched;
  }
  std::printf("{\"lines\": %llu, \"malformed\": %llu, \"bytes\": %llu, \"touched\": %llu}\n",
              static_cast<unsigned long long>(sum.lines),
              static_cast<unsigned long long>(sum.malformed),
              static_cast<unsigned long long>(sum.bytes),
              static_cast<unsigned long long>(sum.touched));
}
