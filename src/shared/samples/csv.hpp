// Samples from a CSV file: one a line, its numbers in the order of the sample's elements (the last index
// fastest), and in one column, perhaps, its label.
//
// The first line is a header when none of its cells is a number, or one of them names the label's column.
// The label stands in the column that the caller names; else in the one that the header calls "label"; else
// in the last one, where a line has one cell more than a sample has numbers; else there are no labels.
// A label is a name of the signal's, or its index; -1, or nothing, is none.
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "shared/samples/samples.hpp"
#include "shared/wire/signal.hpp"

namespace hone::samples {

struct CsvOptions {
  std::string label_column;      // a name from the header, or a number counting from 1; empty: see above
  bool labels_required = false;  // refuse a file that has no column for them
};

// `invalid`, with line and column (both from 1), for a cell that is no number, a whole one where the dtype
// asks for it, or not in its range; for a line of another length; for a label that the signal does not have.
// NaN and infinities are numbers for float32. Memory: the samples, and nothing that the file could swell.
[[nodiscard]] Result<Samples> parse_csv(ByteView text, const wire::Signal& signal, const CsvOptions& options);

}  // namespace hone::samples
