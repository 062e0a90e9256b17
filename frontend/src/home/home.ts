import { computed, type InjectionKey, inject, ref } from 'vue'
import { keep, kept } from '../shared/prefs'
import type { SessionStore } from '../shared/session/session'
import { beyond, chosenHome, homesOf, setups } from './homes'

/** The home that a person's page is set up for, and the others they have. */
export type HomeStore = ReturnType<typeof createHome>
const key: InjectionKey<HomeStore> = Symbol('home')
export const homeKey = key

export function useHome(): HomeStore {
  const home = inject(key)
  if (!home) throw new Error('the home is provided by CityRoot')
  return home
}

export function createHome(session: SessionStore) {
  const name = `home.${session.code}`
  const chosen = ref(kept(name))
  const homes = computed(() =>
    homesOf(session.state.value ?? { signed_in: false, posts: [], allowed: [], public_map: false }),
  )
  const home = computed(() => chosenHome(homes.value, chosen.value))
  return {
    homes,
    home,
    setup: computed(() => setups[home.value.type]),
    /** The person sees more than what the home is framed to. */
    beyond: computed(() => beyond(homes.value, home.value)),
    choose(key: string): void {
      chosen.value = key
      keep(name, key)
    },
  }
}
