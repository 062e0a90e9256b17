import { describe, expect, it } from 'vitest'
import type { Opened, Study } from './study'
import { showUnits } from './told'

/** A study in which a proposal is open, whose units the service tells when it is let. */
function studying() {
  const went: unknown[] = []
  let answer = () => {}
  const told = new Promise<void>(done => {
    answer = done
  })
  const GET = async () => {
    await told
    return { data: { bbox: [120, 30, 120.2, 30.2] }, response: new Response() }
  }
  const asked = { value: { level: 'village', open: { what: 'proposal', id: '7' } as Opened | null } }
  const center = { client: { GET }, goTo: { value: (to: unknown) => went.push(to) } }
  const study = { asked, center, list: { data: { value: null } } } as unknown as Study
  return { study, asked, went, answer }
}

describe('the units of a proposal', () => {
  it('are gone to', async () => {
    const { study, went, answer } = studying()
    const shown = showUnits(study, 'grid', ['330481001001001'])
    answer()
    await shown
    expect(went).toEqual([{ lon: 120.1, lat: 30.1, bbox: [120, 30, 120.2, 30.2] }])
  })
  it.each([{ what: 'place', id: '330481001001002' } as const, { what: 'proposal', id: '8' } as const, null])(
    'are not, once %j is what was chosen',
    async open => {
      const { study, asked, went, answer } = studying()
      const shown = showUnits(study, 'grid', ['330481001001001'])
      asked.value.open = open
      answer()
      await shown
      expect(went).toEqual([])
    },
  )
})
