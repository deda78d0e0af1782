// What stands under a time axis, by the step between two marks: the finer the step, the finer the words.
import { clock } from '../lib/time'

const kDays = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const kMonths = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

export function timeMark(seconds: number, step_s: number): string {
  const at = new Date(seconds * 1000)
  if (step_s < 60) return clock(at)
  if (step_s < 86_400) return at.getHours() === 0 && at.getMinutes() === 0 ? `${at.getDate()} ${kDays[at.getDay()]}` : clock(at).slice(0, 5)
  if (step_s < 28 * 86_400) return `${at.getDate()} ${kDays[at.getDay()]}`
  if (at.getMonth() === 0) return String(at.getFullYear())
  return kMonths[at.getMonth()]
}
