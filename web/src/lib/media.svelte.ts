// Whether the screen is a phone's; follows when it is turned.
import { MediaQuery } from 'svelte/reactivity'

export const phone = new MediaQuery('(max-width: 760px)')
