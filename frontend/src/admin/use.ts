import { computed, onBeforeUnmount, onMounted, reactive, ref, shallowRef } from 'vue'
import { useI18n } from 'vue-i18n'
import { ApiError, ask } from '../shared/api/client'
import { useResource } from '../shared/api/resource'
import type { JurisdictionRef } from '../shared/api/types'
import { serverWords } from '../shared/api/words'
import { formatter } from '../shared/i18n/format'
import { areaName, nameIn } from '../shared/i18n/names'
import { usePrefs } from '../shared/prefs'
import { isPostRole } from '../shared/session/roles'
import { useSession } from '../shared/session/session'
import { unix } from '../shared/time/zone'
import type { Post, Unit } from './types'

/** The city's days and the words for what these pages show. */
export function useAdmin() {
  const { t, te } = useI18n()
  const { locale } = usePrefs()
  const session = useSession()
  const city = useResource(
    () => 'city',
    (_, signal) => ask(session.client.GET('/', { signal })),
  )
  const zone = computed(() => city.data.value?.timezone ?? Intl.DateTimeFormat().resolvedOptions().timeZone)
  const fmt = computed(() => formatter(locale.value, zone.value))
  const now = ref(Date.now() / 1000)
  let clock: ReturnType<typeof setInterval> | undefined
  onMounted(() => {
    clock = setInterval(() => {
      now.value = Date.now() / 1000
    }, 20_000)
  })
  onBeforeUnmount(() => clearInterval(clock))

  const area = (a: JurisdictionRef) => areaName(a, locale.value)
  const role = (r: string) => (isPostRole(r) ? t(`role.${r}`) : r)
  /** The units, once a page has them: their names in the reader's language. */
  const units = shallowRef<readonly Unit[]>([])
  const unitName = (u: { name: string; name_en?: string }) => nameIn(u, locale.value)
  const place = (p: Post) =>
    p.unit ? unitName(units.value.find(u => u.id === p.unit?.id) ?? p.unit) : p.area ? area(p.area) : ''

  /** What went wrong, in the reader's language. */
  function words(e: ApiError): string {
    if (e.offline) return t('error.offline')
    const key = `adminFault.${e.problem.code}`
    if (te(key) || te(key, 'zh')) return t(key, { example: fmt.value.day(now.value) })
    return serverWords(e, locale.value) ?? t('error.unknown', { status: e.status })
  }

  return {
    t,
    te,
    locale,
    session,
    city,
    zone,
    fmt,
    now,
    area,
    role,
    place,
    units,
    unitName,
    words,
    /** Today in the city. */
    today: computed(() => fmt.value.day(now.value)),
    term: (p: Post): string =>
      p.ends ? t('admin.span', { from: p.begins, to: p.ends }) : t('admin.from', { day: p.begins }),
    ago: (text: string) => fmt.value.ago(unix(text), now.value),
    exact: (text: string) => fmt.value.exact(unix(text)),
  }
}

export type Admin = ReturnType<typeof useAdmin>

/** A form's state: what is under way, and what the service found wrong with which field. */
export function useForm(admin: Pick<Admin, 'words'>) {
  const busy = ref(false)
  const problem = ref('')
  /** The service's code for what went wrong, '' where nothing did. */
  const code = ref('')
  const fields = reactive<Record<string, string>>({})

  /** Runs an act; false when it was refused, of which the form tells. */
  async function run(act: () => Promise<void>, known: readonly string[] = []): Promise<boolean> {
    busy.value = true
    problem.value = ''
    code.value = ''
    for (const f of Object.keys(fields)) delete fields[f]
    try {
      await act()
      return true
    } catch (e) {
      if (!(e instanceof ApiError)) throw e
      const field = e.problem.field
      code.value = e.problem.code ?? ''
      if (field && known.includes(field)) fields[field] = admin.words(e)
      else problem.value = admin.words(e)
      return false
    } finally {
      busy.value = false
    }
  }
  return { busy, problem, code, fields, run }
}
