// Changes that an administrator makes: users and tokens.
#include "base/text.h"
#include "portal/auth/accounts.h"
#include "portal/auth/password.h"
#include "portal/auth/secret.h"

namespace lightship::portal {

Task<Result<void>> Accounts::add_user(std::string name, Role role, std::string password) {
  if (no_room(true)) co_return fail(Errc::timeout, "Too much at once; try again in a moment.");
  auto hashing = hash(std::move(password));
  auto hashed = co_await std::move(hashing);
  if (!hashed) co_return fail(hashed.error());
  auto user = new_user(std::move(name), role, std::move(*hashed), clock_.now(), true);
  auto changing = change([user = std::move(user)](UserList& list) { return list.add(user); });
  co_return co_await std::move(changing);
}

Task<Result<void>> Accounts::remove_user(std::string name) {
  auto changing = change([name = std::move(name)](UserList& list) { return list.remove(name); });
  auto changed = co_await std::move(changing);
  if (changed) co_await save_sessions();
  co_return changed;
}

Task<Result<void>> Accounts::change_user(std::string name, std::optional<Role> role,
                                         std::optional<std::string> password) {
  std::optional<std::string> hashed;
  if (password) {
    if (no_room(true)) co_return fail(Errc::timeout, "Too much at once; try again in a moment.");
    auto hashing = hash(std::move(*password));
    auto done = co_await std::move(hashing);
    if (!done) co_return fail(done.error());
    hashed = std::move(*done);
  }
  auto changing = change([name, role, hashed](UserList& list) -> Result<void> {
    if (role) {
      if (auto set = list.set_role(name, *role); !set) return set;
    }
    return hashed ? list.set_password(name, *hashed, true) : Result<void>{};
  });
  auto changed = co_await std::move(changing);
  if (changed && hashed) co_await save_sessions();
  co_return changed;
}

Task<Result<Accounts::MadeToken>> Accounts::add_token(Caller maker, std::string name, Role role,
                                                      std::optional<Duration> lasts) {
  MadeToken made;
  made.secret = std::string(kTokenHead) + make_secret();
  made.token = {.id = make_public_id(),
                .name = std::move(name),
                .user = maker.user,
                .role = std::min(role, maker.role),
                .digest = digest_of(made.secret),
                .created = clock_.now(),
                .expires = {}};
  if (lasts) made.token.expires = made.token.created + *lasts;
  auto changing = change([token = made.token](UserList& list) { return list.add(token); });
  auto changed = co_await std::move(changing);
  if (!changed) co_return fail(changed.error());
  co_return made;
}

Task<Result<void>> Accounts::remove_token(std::string id) {
  auto changing = change([id = std::move(id)](UserList& list) { return list.remove_token(id); });
  co_return co_await std::move(changing);
}

}  // namespace lightship::portal
