/**
 * Whether a name is one that editors, copying programs and the system give to what is not meant to stay: half-written files,
 * locks, backups. What hides behind a dot is not published anyway; it counts here too, for dotfiles that are listed.
 */
export const isTemporaryName = (name: string): boolean => patterns.some((pattern) => pattern.test(name));

const patterns: readonly RegExp[] = [
  // editors: backups, locks, swap files, safe-write copies
  /~$/,
  /^#.*#$/,
  /^\.#/,
  /^\..*\.(?:sw[a-z]|kate-swp|un~)$/,
  /___jb_(?:tmp|old|bak)___$/,
  /^~\$/,
  /^\.~lock\..*#$/,
  /^\.goutputstream-/,
  // rsync: .name.XXXXXX, and its directories; sed -i: sedXXXXXX
  /^\..+\.(?=[^.]*[A-Z0-9])[A-Za-z0-9]{6}$/,
  /^\.(?:~tmp~|rsync-partial)$/,
  /^sed(?=.*[A-Z0-9])[A-Za-z0-9]{6}$/,
  // downloads and uploads under way
  /\.(?:part|partial|filepart|crdownload|download|opdownload|aria2|tmp|temp)$/i,
  /\.dpkg-(?:new|tmp)$/,
  // what file systems and desktops leave behind
  /^\.(?:nfs[0-9a-f]{8,}|fuse_hidden.*|DS_Store|directory|Trash-.*)$/,
  /^(?:Thumbs\.db|desktop\.ini)$/i,
];
