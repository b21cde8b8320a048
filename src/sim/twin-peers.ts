/** The twins of what is remembered of peers: candidates, observations, records. */
import { assert } from '../base/assert.ts';
import type { Bytes } from '../base/bytes.ts';
import type {
  CandidateRow,
  CandidateStore,
  ObservationStore,
  RecordRow,
  RecordStore,
} from '../ports/peer-stores.ts';
import {
  type Journal,
  ownRow,
  shownRow,
  sortedBy,
  type TwinIndex,
  type TwinTable,
} from './twin-table.ts';

export interface ObservationRow {
  readonly observation: Bytes;
}

export interface TwinPeerTables {
  readonly candidates: TwinTable<CandidateRow>;
  readonly observations: TwinTable<ObservationRow>;
  readonly records: TwinTable<RecordRow>;
}

export const recordIndex: TwinIndex<RecordRow> = {
  groupOf: ({ agreement }) => agreement,
  orderOf: ({ sequence }) => [sequence],
};

export function candidateStore(journal: Journal, tables: TwinPeerTables): CandidateStore {
  const { candidates } = tables;
  return {
    put: (row) => journal.change('candidates.put', () => candidates.set(row.peer, ownRow(row))),
    get: (peer) => shownRow(candidates.get(peer)),
    all: () =>
      sortedBy(candidates.values(), (row) => [-row.seenAt, row.peer]).map((row) => ({ ...row })),
    remove: (peer) => journal.change('candidates.remove', () => candidates.delete(peer)),
  };
}

export function observationStore(journal: Journal, tables: TwinPeerTables): ObservationStore {
  const { observations } = tables;
  return {
    get: (peer) => observations.get(peer)?.observation,
    put: (peer, observation) =>
      journal.change('observations.put', () => observations.set(peer, ownRow({ observation }))),
    remove: (peer) => journal.change('observations.remove', () => observations.delete(peer)),
  };
}

export function recordStore(journal: Journal, { records }: TwinPeerTables): RecordStore {
  const ofAgreement: RecordStore['ofAgreement'] = (agreement) =>
    records.inOrder(agreement).map((row) => ({ ...row }));
  const head: RecordStore['head'] = (agreement) => shownRow(records.inOrder(agreement).at(-1));
  return {
    append: (row) => {
      const last = head(row.agreement);
      const follows = last === undefined || row.sequence === last.sequence + 1;
      assert(follows, 'a receipt follows the last of its agreement');
      journal.change('records.append', () =>
        records.set(`${row.agreement}/${row.sequence}`, ownRow(row)),
      );
    },
    head,
    ofAgreement,
    newestWith: (partner) => {
      const rows = records.values().filter((row) => row.partner === partner);
      const order = (row: RecordRow): (string | number)[] => [
        ...[-row.signedAt, -row.sequence, row.agreement],
      ];
      return shownRow(sortedBy(rows, order)[0]);
    },
  };
}
