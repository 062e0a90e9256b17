/** What became of the matters after an investigation. */
export default {
  effect: {
    title: 'What changed since',
    none: 'This investigation has no matters that could be compared.',
    reading: {
      too_early: 'Too early: four weeks have to pass',
      too_few: 'Too few matters to tell',
      no_change: 'No change seen',
      fell: 'Fell by {from} to {to}',
      rose: 'Rose by {from} to {to}',
      plan_changed: 'The plan has changed, and the places are no more: nothing to compare',
      too_many: 'Too many matters to be compared in reasonable time',
    },
    roseOpen: 'Rose by {from} or more',
    around: {
      too_early: 'Too early to tell whether they moved to the neighbours.',
      too_few: 'Too few matters around to tell whether they moved.',
      no_change: 'No move to the neighbours seen.',
      fell: 'The neighbours fell too, by {from} to {to}.',
      rose: 'The neighbours rose by {from} to {to}: some may have moved there.',
    },
    aroundRoseOpen: 'The neighbours rose by {from} or more: some may have moved there.',
    same: 'no change',
    before: 'Before, {from} to {to}',
    after: 'After, {from} to {to}',
    perWeek: '{n} a week',
    patrols: 'Found by patrols (not counted)',
    alike: '{n} grids alike',
    chosen:
      'The place was chosen for being high (from {n} on it is proposed). That what is high falls by itself is in the interval.',
  },
}
