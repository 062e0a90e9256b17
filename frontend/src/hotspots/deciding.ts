import { computed, nextTick, type Ref } from 'vue'
import { useI18n } from 'vue-i18n'
import type { Investigator } from '../shared/api/types'
import { useSending } from './told'

/**
 * A form in which something is decided about a proposal or an order: what is wrong stands at its field, and what is of none of the
 * fields at the end.
 */
export function useDeciding(
  form: Readonly<Ref<HTMLElement | undefined>>,
  fields: readonly string[],
  behind: {
    /** What the page showed is not what there is. */
    shown: () => void
    /** Those who could go are others. */
    officers: () => void
  },
) {
  const { t } = useI18n()
  const { sending, fault, send, refuse, clear } = useSending()
  /** Their names: the service says which of the list. */
  let sent: string[] = []
  const at = (field: string) => (fault.value?.field === field ? fault.value.words : null)
  const atOfficers = computed(() => {
    const f = fault.value
    if (f?.field !== 'officers') return null
    const who = f.index === null ? undefined : sent[f.index]
    return who ? t('proposals.whoFault', { who, fault: f.words }) : f.words
  })
  const beyond = computed(() => (fields.includes(fault.value?.field ?? '') ? null : (fault.value?.words ?? null)))
  async function toFault() {
    await nextTick()
    form.value?.querySelector('[role=alert]')?.scrollIntoView({ block: 'nearest' })
    form.value?.querySelector<HTMLElement>('[aria-invalid=true]')?.focus({ preventScroll: true })
  }
  return {
    sending,
    clear,
    at,
    atOfficers,
    beyond,
    /** It is not sent: something is missing. */
    lacks(field: string, code: string): null {
      refuse(field, code)
      void toFault()
      return null
    },
    /** The posts of those who are sent. */
    postsOf(officers: readonly Investigator[]): number[] {
      sent = officers.map(o => o.person.name)
      return officers.map(o => o.post)
    },
    /** null: it was not done. */
    async send<T>(post: () => Promise<T>): Promise<T | null> {
      const after = await send(post)
      if (after !== null || !fault.value) return after
      const { code } = fault.value
      if (['', 'decided_meanwhile', 'not_found'].includes(code)) behind.shown()
      if (code === 'officer_changed') behind.officers()
      void toFault()
      return null
    },
  }
}
