import { afterEach, describe, expect, it } from 'vitest'
import { type EffectScope, effectScope } from 'vue'
import { useBatches } from './batches'

let scope: EffectScope | undefined
afterEach(() => scope?.stop())
const settled = () => new Promise(done => setTimeout(done))
const row = (num: number) => ({ ref: String(num), num, version: 1 }) as never

/** A service that keeps batches; what `refuses` names is answered with a fault. */
async function given(there: { id: string; me: boolean }[] = []) {
  const batch = (id: string, me = true) => ({
    id,
    state: 'waiting',
    acts: ['accept'],
    by: { me },
    starts_in_s: 10,
    made_at: new Date().toISOString(),
    cases: [],
  })
  const refuses = new Set<string>()
  const [sent, cancelled]: [{ id: string; cases: { case: string }[] }[], string[]] = [[], []]
  const answer = async (name: string, data: object) =>
    refuses.has(name)
      ? { error: { code: 'no' }, response: new Response(null, { status: 409 }) }
      : { data, response: new Response() }
  const client = {
    GET: () => answer('list', { batches: there.map(b => batch(b.id, b.me)) }),
    POST: (_: string, { body }: { body: (typeof sent)[number] }) => {
      sent.push(body)
      return answer(body.cases.map(c => c.case).join(), batch(body.id))
    },
    DELETE: (_: string, { params }: { params: { path: { id: string } } }) => {
      cancelled.push(params.path.id)
      return answer(params.path.id, { ...batch(params.path.id), state: 'cancelled' })
    },
  }
  scope = effectScope()
  const batches = scope.run(() => useBatches({ client, own: new Map(), changed: () => {} } as never))!
  await settled()
  return { batches, refuses, sent, cancelled }
}
const both = [
  { acts: ['accept' as const], rows: [row(1)] },
  { acts: ['file' as const], rows: [row(2)] },
]

describe('acts on many cases', () => {
  it('are cancelled together as they were begun, and never another’s', async () => {
    const { batches, sent, cancelled } = await given([{ id: 'theirs', me: false }])
    await batches.begin()([{ acts: ['accept'], rows: [row(3)] }])
    expect(await batches.begin()(both)).toBe('made')
    expect(await batches.cancel()).toBeUndefined()
    expect(cancelled.toSorted()).toEqual([sent[1]!.id, sent[2]!.id].toSorted())
    await batches.cancel()
    expect(cancelled.slice(2)).toEqual([sent[0]!.id])
    await batches.cancel() // nothing of one's own waits
    expect(cancelled).toHaveLength(3)
    await batches.cancel('theirs') // by its own button
    expect(cancelled[3]).toBe('theirs')
  })

  it('tell what could not be cancelled, and cancel the rest', async () => {
    const { batches, sent, refuses, cancelled } = await given()
    await batches.begin()(both)
    refuses.add(sent[1]!.id) // the newest, so the first of the two
    expect((await batches.cancel())?.status).toBe(409)
    expect(cancelled).toContain(sent[0]!.id)
  })

  it('go on where they broke off', async () => {
    const { batches, sent, refuses } = await given()
    const run = batches.begin()
    refuses.add('2')
    expect(await run(both)).toMatchObject({ status: 409 })
    refuses.clear()
    expect(await run(both)).toBe('made')
    expect(sent.map(b => b.cases.map(c => c.case).join())).toEqual(['1', '2', '2'])
    expect(sent[2]!.id).toBe(sent[1]!.id) // so it is made once, whatever became of the first try
  })

  it('are sent once when the key is pressed twice', async () => {
    const { batches, sent } = await given()
    const first = batches.begin()(both)
    expect(await batches.begin()(both)).toBe('busy')
    expect(await first).toBe('made')
    expect(sent).toHaveLength(2)
  })
})
