/** Sentences on what a failure means for the data, used by many messages. */

export const nothingChanged = 'Nothing was changed; what is backed up stays as it was.';
export const spoolKept =
  'What was captured before is intact in the spool, and earlier snapshots too.';
export const dataElsewhere = 'Your backups at your partners are not touched by this.';
export const nothingJoined = 'No agreement was made; your data is as it was.';
