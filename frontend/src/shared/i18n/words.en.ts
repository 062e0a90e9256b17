/** Words of looking for words, and of the filters by what has become of reports. */
export default {
  words: {
    label: 'Find in the list',
    hint: 'Title, text, address, notes, number',
    scope: 'Looks through the list alone; map and numbers stay. Words between spaces have to be there together.',
    clear: 'Clear the words',
    none: 'No report has “{words}”',
    noneHint:
      'Try another word, or only one of them; whole words, or their beginning and an asterisk. The map’s view and the filters count, too.',
    more: 'More filters',
    less: 'Fewer filters',
    aspect: 'Aspect',
    state: 'State',
    settledBy: 'Settled by',
    team: 'Team',
    unit: 'Unit {n}',
    cases: 'Cases',
    casesHint: 'open ones, by their clocks',
    clocks: 'Colours of clocks',
    clock: { red: 'Overdue', amber: 'Due soon', green: 'In time', none: 'No clock runs' },
    settled: {
      village_onsite: 'Village, on site',
      town_team: 'Town’s team',
      committee: 'Committee',
      none: 'Nobody yet, or unknown',
    },
  },
}
