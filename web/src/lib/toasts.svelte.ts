// Short news at the edge of the page. What went wrong stays until it is put away.
import { ApiError } from '../api/http'

export interface Toast {
  id: number
  kind: 'good' | 'alarm' | 'note'
  text: string
  detail?: string
}

let items = $state.raw<Toast[]>([])
let next = 0

export const toasts = {
  get items() {
    return items
  },
  put(kind: Toast['kind'], text: string, detail?: string) {
    const id = ++next
    items = [...items.slice(-3), { id, kind, text, detail }]
    if (kind !== 'alarm') setTimeout(() => toasts.drop(id), 6000)
  },
  drop(id: number) {
    items = items.filter(toast => toast.id !== id)
  },
  failed(what: string, why: unknown) {
    const error = ApiError.from(why)
    toasts.put('alarm', what, error.message)
  },
}
