import { ask, done } from '../shared/api/client'
import type { Leave, Shift, Swap, TeamHours, Vehicle } from './types'
import type { Teams } from './use'

/**
 * What is done on a unit's page. Each act tells what it did; what its undoing needs is taken beforehand, as the page may show
 * another unit by then.
 */
export function useTeamActs(teams: Teams, unit: () => number, page: { reload(roster?: boolean): void; close(): void }) {
  const { t, session, me, attempt, say } = teams
  const { client } = session
  const at = (id: number, of = unit()) => ({ path: { unit: of, id } })
  const undone =
    (act: () => Promise<unknown>, roster = true) =>
    async () => {
      if (await attempt(async () => void (await act()))) say(t('team.undone'))
      page.reload(roster)
    }
  /** What has been done: the page comes anew, and it can be undone. */
  function did(words: string, undo: () => Promise<unknown>, roster = true) {
    page.reload(roster)
    say(words, undone(undo, roster))
  }
  /** Does what has no undoing. */
  async function act(words: string, what: () => Promise<unknown>) {
    if (await attempt(async () => void (await what()))) say(words)
    page.reload()
  }
  /** Does what may be refused, which then is told, and is undone by its opposite. */
  async function tried(act: () => Promise<unknown>, words: string, undo: () => Promise<unknown>, roster = true) {
    const ok = await attempt(async () => void (await act()))
    if (ok) did(words, undo, roster)
    else page.reload(roster)
    return ok
  }

  const shiftOf = (s: Shift) => ({ person: s.person.id, from: s.from, to: s.to, kind: s.kind })
  const dropShift = (params: ReturnType<typeof at>) => done(client.DELETE('/teams/{unit}/shifts/{id}', { params }))
  const vehicleOf = (v: Vehicle) => ({ plate: v.plate, kind: v.kind, seats: v.seats, in_service: v.in_service })
  const dropVehicle = (params: ReturnType<typeof at>) => done(client.DELETE('/teams/{unit}/vehicles/{id}', { params }))

  return {
    shiftsAdded(list: Shift[]) {
      page.close()
      const each = list.map(s => at(s.id))
      did(t('team.added', { n: list.length }, list.length), async () => {
        for (const params of each) await dropShift(params)
      })
    },
    shiftChanged(s: Shift, before: Shift) {
      page.close()
      const [params, body] = [at(s.id), { version: s.version, ...shiftOf(before) }]
      did(t('team.changed'), () => ask(client.PUT('/teams/{unit}/shifts/{id}', { params, body })))
    },
    async removeShift(s: Shift) {
      const [path, body] = [{ unit: unit() }, { shifts: [shiftOf(s)] }]
      const ok = await tried(
        () => dropShift(at(s.id)),
        t('team.removed'),
        () => ask(client.POST('/teams/{unit}/shifts', { params: { path }, body })),
      )
      if (ok) page.close()
    },
    answerSwap: (s: Swap, accept: boolean) =>
      act(t(accept ? 'team.taken' : 'team.refusedNow'), () =>
        ask(client.POST('/teams/{unit}/swaps/{id}/answer', { params: at(s.id), body: { accept } })),
      ),
    withdrawSwap: (s: Swap) =>
      act(t('team.withdrawn'), () => done(client.DELETE('/teams/{unit}/swaps/{id}', { params: at(s.id) }))),
    grantLeave: (l: Leave) =>
      act(t('team.leaveGranted'), () => ask(client.PUT('/teams/{unit}/leaves/{id}', { params: at(l.id) }))),
    refuseLeave: (l: Leave) =>
      act(t('team.leaveRefused'), () => done(client.DELETE('/teams/{unit}/leaves/{id}', { params: at(l.id) }))),
    /** Takes leave back; undone, it is asked for, and granted, as it was. */
    takeBackLeave(l: Leave) {
      const [of, { from, to, kind = 'other' }] = [unit(), l]
      const body = { from, to, kind, ...(l.person.id === me.value ? {} : { person: l.person.id }) }
      return tried(
        () => done(client.DELETE('/teams/{unit}/leaves/{id}', { params: at(l.id) })),
        t('teamPart.leaveTakenBack'),
        async () => {
          const again = await ask(client.POST('/teams/{unit}/leaves', { params: { path: { unit: of } }, body }))
          if (l.granted && !again.granted)
            await ask(client.PUT('/teams/{unit}/leaves/{id}', { params: at(again.id, of) }))
        },
      )
    },
    skillsSaved(person: string, before: string[]) {
      page.close()
      const [path, body] = [{ unit: unit(), person }, { skills: before }]
      did(
        t('teamPart.skillsSaved'),
        () => done(client.PUT('/teams/{unit}/members/{person}/skills', { params: { path }, body })),
        false,
      )
    },
    vehicleSaved(v: Vehicle, before: Vehicle | null) {
      page.close()
      const params = at(v.id)
      did(
        t(before ? 'teamPart.vehicleChanged' : 'teamPart.vehicleAdded', { plate: v.plate }),
        () =>
          before
            ? ask(
                client.PUT('/teams/{unit}/vehicles/{id}', {
                  params,
                  body: { version: v.version, ...vehicleOf(before) },
                }),
              )
            : dropVehicle(params),
        false,
      )
    },
    async removeVehicle(v: Vehicle) {
      const [path, body] = [{ unit: unit() }, vehicleOf(v)]
      const ok = await tried(
        () => dropVehicle(at(v.id)),
        t('teamPart.vehicleRemoved', { plate: v.plate }),
        () => ask(client.POST('/teams/{unit}/vehicles', { params: { path }, body })),
        false,
      )
      if (ok) page.close()
    },
    setHours(hours: TeamHours, before: TeamHours) {
      const path = { unit: unit() }
      const put = (h: TeamHours) => done(client.PUT('/teams/{unit}/hours', { params: { path }, body: { hours: h } }))
      return tried(
        () => put(hours),
        t('teamPart.hoursSet'),
        () => put(before),
      )
    },
    /** What a drawer has done by itself. */
    said(words: string) {
      page.close()
      page.reload()
      say(words)
    },
  }
}
export type TeamActs = ReturnType<typeof useTeamActs>
