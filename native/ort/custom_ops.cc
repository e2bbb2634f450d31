// Collects the operators in a domain.
#include "ort/custom_ops.h"

#include <utility>

#include "ort/library.h"

namespace larmor::ort {

OperatorSet::OperatorSet(Target target) : target_(std::move(target)) {
  for (auto& family : {physics_ops(target_), convolution_ops(target_), network_ops(target_)})
    operators_.insert(operators_.end(), family.begin(), family.end());
  check(api().CreateCustomOpDomain("larmor", domain_.out()), "CreateCustomOpDomain");
  for (const Operator& op : operators_) check(api().CustomOpDomain_Add(domain_.get(), op.get()), "CustomOpDomain_Add");
}

void OperatorSet::add_to(OrtSessionOptions* options) const { check(api().AddCustomOpDomain(options, domain_.get()), "AddCustomOpDomain"); }

const OperatorSet& OperatorSet::cpu() {
  static const OperatorSet* const set = new OperatorSet(cpu_target());  // never freed: sessions keep pointers into it
  return *set;
}

}  // namespace larmor::ort
