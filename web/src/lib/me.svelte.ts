// Who is signed in, and what that role may do.
import type { Role, Session } from '../api/types'

let current = $state.raw<Session | null>(null)
const rank: Record<Role, number> = { viewer: 0, operator: 1, admin: 2 }

export const me = {
  get session() {
    return current
  },
  may(role: Role): boolean {
    return current !== null && rank[current.role] >= rank[role]
  },
}
export const setMe = (session: Session) => (current = session)
