#pragma once

#include <string>

#include "grantfs/trust/request.h"

namespace grantfs {

/// "grant web-1 shop/prod/db-password": what is asked for, as the command that would do it.
std::string AskSentence(const std::string& environment, const AnyAsk& ask);

/// The same of an act that waits for a second owner.
std::string ActSentence(const std::string& environment, const AskConsent::Item& item);

}  // namespace grantfs
