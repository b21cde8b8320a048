/** What each setting means, in a sentence; `covault help config` and `covault config get NAME` show it. */

/** By dotted name. "Preset" stands for what the terms with strangers (`open`) or friends (`circle`) have. */
export const settingWords: Readonly<Record<string, string>> = {
  'backup.compressionLevel': 'zstd level, 1 to 19',
  'backup.excludeFileNames': 'names of files that hold exclude patterns for their folder',
  'backup.excludePatterns': 'what is left out, in gitignore syntax',
  'backup.maximumFileBytes': 'larger files are left out; null: none',
  'backup.oneFileSystem': 'do not enter other file systems',
  'backup.sources': 'what `covault backup` without paths backs up',
  'cache.capBytes': 'own packs kept for fast restores and repairs',
  'lend.spaceBytes':
    'what you lend to all partners together; an invitation lends a share of it unless it says how much',
  'log.level': 'debug, info, warn or error',
  name: 'what partners see; empty: the name of this computer',
  'network.announce': 'addresses told to others besides those found out',
  'network.bootstrap': 'addresses of peers that you know: the way to others, and into the DHT',
  'network.dht': 'private: among the peers one knows; public: the HyperDHT; off',
  'network.listen': 'addresses to listen on',
  'network.multicast': 'find and be found on the local network',
  'network.portMapping': 'ask the router for a port',
  'network.relay.budgetBytesPerDay': 'what is relayed for each partner',
  'network.relay.offer': 'relay for partners that cannot reach each other',
  'partners.auditIntervalSeconds': 'time between two audits; null: preset (6 h, open 3 h)',
  'partners.bandwidthBytesPerSecond': 'average bandwidth that both must promise; 0: none',
  'partners.commitmentSeconds':
    'C, before which nothing is restored; longer than grace; null: preset (31 d)',
  'partners.deleteLockSeconds':
    'L, how long deleted data stays in the trash; null: preset (14 d, open 30 d)',
  'partners.drillIntervalSeconds':
    'how often restoring is tried on a few files; 0: only with `covault drill`; null: 1 d',
  'partners.graceSeconds': 'G, how long a partner may fail; null: preset (30 d)',
  'partners.neighbourhood': 'computers with the same word find each other',
  'partners.noticeSeconds': 'how long before leaving it must be said; null: 14 d',
  'partners.overlapHours': 'hours of the week that both are on line; null: preset (0, open 14)',
  'partners.preset':
    'terms with those nobody invited: circle, open, or auto (open while partners are looked for)',
  'partners.probeIntervalSeconds': 'how often partners are asked for a sign of life; null: 30 min',
  'partners.rampBytes':
    'what strangers lend each other at first; 0: no ramp; null: preset (0, open 1 GB)',
  'partners.rampStepSeconds': 'clean time after which that doubles; null: preset (open 14 d)',
  'partners.receiptPeriodSeconds': 'how often both sign what each did for the other; null: 7 d',
  'partners.renegesAllowed': 'a candidate may have failed so many others',
  'partners.scrubSeconds':
    'in so much running time all that is held for others is read and compared once; null: 30 d',
  'partners.searchIntervalSeconds':
    'pause between two searches, growing while nobody is found; null: 5 min',
  'partners.seek':
    'look for partners: true, false, or auto (when you lend and there is a way to meet others)',
  'partners.spareAfterSeconds':
    'silence after which what a partner holds is placed elsewhere too; null: 3 d',
  'partners.termSeconds':
    'how long an agreement runs before it is renewed; 0: until it is ended; null: 0',
  'partners.wantedBytes': 'space wanted at all partners; null: as much as you lend; 0: only lend',
  'partners.wantedPartners':
    'how many partners are wanted (more while stripes have more shards); 0: as many as the full code needs',
  'place.country': 'where this computer stands, as two letters such as DE; empty: not told',
  'place.household': 'a word that the computers of your household share; empty: not told',
  'place.latitude': 'degrees north; others are told whole degrees; null: not told',
  'place.longitude': 'degrees east; others are told whole degrees; null: not told',
  'spool.capBytes': 'own packs that wait for partners',
  'upload.limitBytesPerSecond': 'to all partners together; null: no limit',
};

export function settingLines(): readonly string[] {
  const names = Object.keys(settingWords);
  const width = Math.max(...names.map((name) => name.length));
  return names.map((name) => `  ${name.padEnd(width)}  ${settingWords[name]}`);
}
