import { computed, onBeforeUnmount, ref, shallowRef, watch } from 'vue'
import { onBeforeRouteLeave } from 'vue-router'
import { useNotices } from '../admin/notices'
import { type Admin, useForm } from '../admin/use'
import { ask, done } from '../shared/api/client'
import { useResource } from '../shared/api/resource'
import { same } from './same'
import type { RegimeDocument, RegimeKind, RegimeVersion } from './types'

/**
 * A document in versions as a page works with it: the version in force for who reads, the draft for who edits; what was
 * changed here and not saved yet; undo. A version of the past is looked at beside it, and never edited. `held` gives what came
 * from the service with the objects of before, for a page that knows parts of the content by what they are.
 */
export function useDocument<T extends object>(
  admin: Admin,
  kind: RegimeKind,
  blank: () => T,
  held: (before: T, next: T) => T = (_, next) => next,
) {
  const { t, session } = admin
  const notices = useNotices()
  const { say } = notices
  const form = useForm(admin)
  const edits = computed(() => session.can('regime.edit'))
  const versions = useResource(
    () => (session.can('regime.view') ? kind : null),
    (k, signal) => ask(session.client.GET('/regime/{kind}', { params: { path: { kind: k } }, signal })),
  )
  const all = computed(() => versions.data.value?.versions ?? [])
  const draft = computed(() => all.value.find(v => v.state === 'draft'))
  const inForce = computed(() => all.value.find(v => v.state === 'in_force'))
  /** What is worked on, or read. */
  const base = computed(() => draft.value ?? inForce.value ?? all.value[0])
  /** Another version that is looked at. */
  const chosen = ref<number | null>(null)
  const older = computed(() => (chosen.value !== null && chosen.value !== base.value?.id ? chosen.value : null))

  const get = (id: number, signal?: AbortSignal): Promise<RegimeDocument> =>
    ask(session.client.GET('/regime/{kind}/{id}', { params: { path: { kind, id } }, signal }))
  const loaded = useResource(
    () => (base.value ? { id: base.value.id, edits: base.value.edits } : null),
    ({ id }, signal) => get(id, signal),
  )
  const looked = useResource(
    () => older.value,
    (id, signal) => get(id, signal),
  )

  const saved = shallowRef<T | null>(null)
  const work = shallowRef<T | null>(null)
  const past = shallowRef<T[]>([])
  const future = shallowRef<T[]>([])
  const dirty = computed(() => work.value !== null && !same(work.value, saved.value))
  /** The draft that the content is of; null: it begins a draft. */
  const seen = shallowRef<{ id: number; edits: number } | null>(null)

  function take(d: RegimeDocument) {
    saved.value = work.value ? held(work.value, d.content as T) : (d.content as T)
    work.value = saved.value
    past.value = []
    future.value = []
    seen.value = d.version.state === 'draft' ? { id: d.version.id, edits: d.version.edits } : null
  }
  watch(loaded.data, d => {
    // What was saved here comes back as it was sent: what can be undone stays.
    const mine = d && seen.value?.id === d.version.id && seen.value.edits === d.version.edits
    if (d && !mine && !dirty.value) take(d)
  })
  watch([versions.data, edits], () => {
    // Where there is no version at all, who may edit begins with an empty one.
    if (versions.data.value && !base.value && edits.value && !work.value) work.value = blank()
  })

  // Who may do something else may see something else.
  watch(session.rights, () => versions.drop())

  const shown = computed<T | null>(() =>
    older.value === null ? work.value : ((looked.data.value?.content as T) ?? null),
  )
  /** The whole answer that what is shown came with: names of what it names. */
  const answer = computed(() => (older.value === null ? loaded.data.value : looked.data.value))
  const editable = computed(() => edits.value && older.value === null && work.value !== null)

  /** Changes the document; false: it is as it was. */
  function change(next: T): boolean {
    if (!work.value || same(next, work.value)) return false
    notices.hide() // what can be undone now is this, and nothing that was told of before
    past.value = [...past.value.slice(-99), work.value]
    future.value = []
    work.value = next
    return true
  }
  function undo() {
    const before = past.value.at(-1)
    if (!before || !work.value) return
    notices.hide()
    future.value = [...future.value, work.value]
    past.value = past.value.slice(0, -1)
    work.value = before
  }
  function redo() {
    const next = future.value.at(-1)
    if (!next || !work.value) return
    past.value = [...past.value, work.value]
    future.value = future.value.slice(0, -1)
    work.value = next
  }

  async function save(): Promise<boolean> {
    const content = work.value
    if (!content || form.busy.value) return false
    return form.run(async () => {
      const d = await ask(
        session.client.PUT('/regime/{kind}/draft', {
          params: { path: { kind } },
          body: { content: content as never, ...(seen.value ? { seen: seen.value } : {}) },
        }),
      )
      // What was changed while it was being saved stays to be saved.
      const meanwhile = work.value === content ? null : work.value
      saved.value = held(content, d.content as T)
      work.value = meanwhile ?? saved.value
      seen.value = { id: d.version.id, edits: d.version.edits }
      versions.reload()
      say(t('regime.saved'))
    })
  }
  async function publish(from?: string, recountOpen = false): Promise<boolean> {
    if (!seen.value || dirty.value) return false
    const body = {
      ...seen.value,
      ...(from ? { in_force_from: from } : {}),
      ...(recountOpen ? { recount_open: true } : {}),
    }
    return form.run(async () => {
      const d = await ask(session.client.POST('/regime/{kind}/draft/publish', { params: { path: { kind } }, body }))
      take(d)
      versions.reload()
      say(t(d.version.state === 'to_come' ? 'regime.publishedLater' : 'regime.published'))
    })
  }
  /** How often all that was changed here was dropped: what fields and drawers hold that is no content yet goes with it. */
  const dropped = ref(0)
  async function discard(): Promise<boolean> {
    const of = seen.value
    if (of === null) {
      // Nothing is kept yet: what was changed here alone is dropped.
      dropped.value++
      work.value = saved.value ?? (base.value ? null : blank())
      past.value = []
      future.value = []
      return true
    }
    const before = work.value
    return form.run(async () => {
      await done(session.client.DELETE('/regime/{kind}/draft', { params: { path: { kind }, query: of } }))
      dropped.value++
      seen.value = null
      saved.value = null
      work.value = null
      past.value = []
      future.value = []
      versions.reload()
      say(t('regime.discarded'), () => {
        if (before && work.value) change(before)
      })
    })
  }
  /** Somebody has changed the draft meanwhile: theirs is taken, ours is gone. */
  function takeTheirs() {
    dropped.value++
    saved.value = null
    work.value = null
    past.value = []
    future.value = []
    form.problem.value = ''
    versions.reload()
    loaded.drop()
  }

  const findings = useResource(
    () => (edits.value && draft.value ? { kind, id: draft.value.id, edits: draft.value.edits } : null),
    async (_, signal) =>
      (await ask(session.client.GET('/regime/{kind}/draft/findings', { params: { path: { kind } }, signal }))).findings,
  )

  onBeforeRouteLeave(() => !dirty.value || window.confirm(t('regime.leave')))
  const leaving = (e: BeforeUnloadEvent) => {
    if (dirty.value) e.preventDefault()
  }
  const keyed = (e: KeyboardEvent) => {
    if (!(e.ctrlKey || e.metaKey) || e.altKey || e.key.toLowerCase() !== 'z') return
    if (e.target instanceof HTMLElement && e.target.matches('input, textarea, select')) return
    if (!editable.value) return
    e.preventDefault()
    if (e.shiftKey) redo()
    else undo()
  }
  addEventListener('beforeunload', leaving)
  addEventListener('keydown', keyed)
  onBeforeUnmount(() => {
    removeEventListener('beforeunload', leaving)
    removeEventListener('keydown', keyed)
  })

  const stateOf = (id: number): RegimeVersion | undefined => all.value.find(v => v.id === id)
  return {
    admin,
    kind,
    edits,
    versions,
    all,
    draft,
    inForce,
    base,
    chosen,
    older,
    loaded,
    looked,
    get,
    stateOf,
    shown,
    answer,
    editable,
    work,
    saved,
    dirty,
    seen,
    change,
    undo,
    redo,
    mayUndo: computed(() => past.value.length > 0),
    mayRedo: computed(() => future.value.length > 0),
    save,
    publish,
    discard,
    takeTheirs,
    dropped,
    findings,
    form,
  }
}

export type Doc<T extends object> = ReturnType<typeof useDocument<T>>
