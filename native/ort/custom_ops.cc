// Collects the operators in one domain, which every session of the process shares.
#include "ort/custom_ops.h"

#include "ort/library.h"

namespace larmor::ort {
namespace {

OrtCustomOpDomain* make_domain() {
  OrtCustomOpDomain* domain = nullptr;
  check(api().CreateCustomOpDomain("larmor", &domain), "CreateCustomOpDomain");
  for (const auto& ops : {physics_ops(), solver_ops(), network_ops()})
    for (const OrtCustomOp* op : ops) check(api().CustomOpDomain_Add(domain, op), "CustomOpDomain_Add");
  return domain;
}

}  // namespace

void add_custom_ops(OrtSessionOptions* options) {
  static OrtCustomOpDomain* const domain = make_domain();  // never released: sessions keep pointers into it
  check(api().AddCustomOpDomain(options, domain), "AddCustomOpDomain");
}

}  // namespace larmor::ort
