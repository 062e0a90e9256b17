import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Driver } from './driver'

let d: Driver
beforeAll(async () => {
  d = await Driver.start()
})
afterAll(() => d?.stop())

interface Row {
  id: number
  told: number
}
/** The committee's page of proposals, and the open ones; where all are decided, matters are screened. */
async function proposals(size?: { width: number; height: number }): Promise<Row[]> {
  await d.given.visit('/haining/hotspots?tab=proposals', { as: 'city_committee', ...(size ? { size } : {}) })
  if (size) await d.when.click('tab-list')
  await d.sees('when matters were screened', async () => (await d.get.text('last-screening')).includes('筛查'))
  const open = async (): Promise<Row[]> => (await d.get.jsonAs('/proposals?state=open&limit=200')).proposals
  if ((await open()).length === 0) {
    await d.when.click('screen-now')
    await d.sees('what came of it', () => d.get.seen('screened'))
  }
  return open()
}
const today = new Intl.DateTimeFormat('en-CA', { timeZone: 'Asia/Shanghai' }).format(Date.now())

describe('what is proposed to be investigated', () => {
  it('is ordered where it is seen why, carried out, and told of', async () => {
    const { id, told } = (await proposals()).at(-1)!
    await d.when.click(`proposal-${id}`)
    await d.sees('why', async () => (await d.get.text('proposal-why')).includes(`群众反映 ${told} 件`))
    expect((await d.get.query()).get('open')).toBe(`proposal:${id}`)
    await d.when.click('approve')
    await d.sees('who could go', async () => (await d.get.text('officers')).includes('证件至'))
    await d.when.click('decision-send')
    await d.sees('what is missing', async () => (await d.get.text('fault-officers')) === '至少要两名队员。')
    expect(await d.get.serious()).toEqual([])

    await d.when.type('order-day', today)
    await d.when.press('Tab')
    const unit = await d.get.value('order-unit')
    const can = `/proposals/${id}/officers?day=${today}&unit=${unit}`
    const { officers } = await d.get.jsonAs(can)
    for (const o of officers.filter((o: { away: boolean }) => !o.away).slice(0, 2))
      await d.when.check(`officer-${o.post}`)
    await d.when.type('order-objects-more', '一家店\n另一家店')
    await d.when.press('Escape')
    await d.when.click('approve')
    expect(await d.get.value('order-objects-more')).toBe('一家店\n另一家店')
    await d.when.focus('order-day')
    await d.when.press('Enter')
    await d.sees('the order', async () => (await d.get.text('order-state-is')) === '待排查')

    await d.when.click('done')
    await d.when.type('findings', '店外摆放，当场收回。')
    await d.when.click('order-send')
    await d.sees('what is missing', () => d.get.seen('fault-found'))
    await d.when.check('found-yes')
    await d.when.check('visited')
    await d.when.click('order-send')
    await d.sees('that it was made', async () => (await d.get.text('order-state-is')) === '已排查')
    expect(await d.get.text('order-findings')).toBe('店外摆放，当场收回。')
    const { row } = await d.get.jsonAs(`/proposals/${id}`)
    expect(row.state).toBe('done')
    const order = await d.get.jsonAs(`/investigations/${row.order}`)
    expect([order.found, order.visited]).toEqual([true, [order.objects[0]]])
    await d.when.click('show-orders')
    await d.sees('how often something was found', async () => (await d.get.text('hit-rate')).includes('次有发现'))
    await d.sees('it in the list', async () => (await d.get.text(`order-${row.order}`)).includes('有发现'))
    expect(d.complaints).toEqual([])
  })

  it('is decided once, and who comes second keeps what they wrote', async () => {
    const { id } = (await proposals()).at(-1)!
    await d.when.click(`proposal-${id}`)
    await d.when.click('decline')
    await d.when.type('decision-reason', '写到一半')
    await d.given.decided(id, 'decline', '上月查过')
    await d.sees('who was quicker', async () => (await d.get.text('meanwhile')).includes('决定不排查'))
    expect(await d.get.value('decision-reason')).toBe('写到一半')
    expect(await d.get.enabled('decision-send')).toBe(false)
    await d.sees('that the list is without it', async () => !(await d.get.seen(`proposal-${id}`)))
    await d.when.press('Escape')
    await d.when.click('reconsider')
    await d.when.type('decision-reason', '又多了')
    await d.when.click('decision-send')
    await d.sees('that it is open again', async () => (await d.get.text('proposal-state-is')) === '待决定')
    await d.sees('it in the list', () => d.get.seen(`proposal-${id}`))
    expect(d.complaints).toEqual([])
  })

  it('can be decided on a phone', async () => {
    const { id } = (await proposals({ width: 390, height: 844 })).at(-1)!
    expect(await d.get.small()).toEqual([])
    await d.when.click(`proposal-${id}`)
    await d.when.click('approve')
    await d.sees('who could go', async () => (await d.get.text('officers')).includes('证件至'))
    expect(await d.get.small()).toEqual([])
    expect(await d.get.wider()).toBe(0)
    expect(await d.get.serious()).toEqual([])
  })
})
