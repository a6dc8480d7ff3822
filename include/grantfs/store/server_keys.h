#pragma once

#include <string>

#include "grantfs/util/result.h"

namespace grantfs {

/// The certificates of a server's TLS keys, in PEM.
struct StoredCertificates {
  std::string current;
  std::string next;  ///< "" = it has made none
};

/// Reads them in a vault's directory, whether it is served meanwhile or not. Errors: kNotFound (no vault
/// there, or it has never been served), kDenied (it is another user's), kUnsupported (a newer schema), kIo.
Result<StoredCertificates> ReadCertificates(const std::string& directory);

}  // namespace grantfs
