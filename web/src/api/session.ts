// Who is in, and the way in and out. Apart from the rest: the login page needs no more than this.
import { get, post, setCsrf } from './http'
import type { OpenSession, Session } from './types'

export async function login(username: string, password: string): Promise<Session> {
  return keep(await post<Session>('/api/login', { username, password }, { stay: true }))
}
export async function session(ask: { stay?: boolean } = {}): Promise<Session> {
  return keep(await get<Session>('/api/session', ask))
}
export const logout = () => post<void>('/api/logout')
export const changePassword = (old: string, next: string) => post<void>('/api/password', { old, new: next }, { stay: true })

function keep(found: Session): Session {
  setCsrf(found.csrf_token)
  return found
}
export type { OpenSession, Session }
