#include "shared/samples/tensor_file.hpp"

#include <utility>

#include "shared/samples/idx.hpp"
#include "shared/wire/npy.hpp"

namespace hone::samples {

Result<TensorFile> read_tensor_file(Files& files, const std::string& path, std::uint64_t bytes_max) {
  HONE_TRY(Bytes file, read_file(files, path, bytes_max));
  if (path.ends_with(".npy")) {
    const auto header = wire::parse_npy(file, file.size());
    if (!header) return fail(header.error().within(path));
    file.erase(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(header->data_offset));
    return TensorFile{path, header->descr, header->shape, std::move(file)};
  }
  auto idx = parse_idx(file);
  if (!idx) return fail(idx.error().within(path));
  return TensorFile{path, std::string(wire::npy_descr(idx->dtype)), std::move(idx->shape), std::move(idx->data)};
}

std::string text_of_shape(const std::vector<std::int64_t>& shape) {
  std::string text = "[";
  for (const std::int64_t extent : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(extent);
  return text + "]";
}

}  // namespace hone::samples
