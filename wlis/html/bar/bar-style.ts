/**
 * The looks of the bar, inside its own shadow tree, where nothing of the page's reaches. The bar is one line high at all
 * widths, so that the room for it can be known outside (`roomStyle`). It is no part of the layout of the body, which may be
 * a flex box or a grid, and no ancestor's position matters to it: it is fixed, and moves with the page as that is scrolled;
 * where that cannot be told by styles it is absolute. What the page positions in the same place is in front of it.
 *
 * Where it is absolute it goes by the window, or by a body that has a position: that one is below the room for the bar, and
 * known by not being as high as the window.
 */
export const barStyle =
  ':host{all:initial!important;display:var(--willis-bar,block)!important;position:absolute!important;left:0!important;' +
  'right:0!important;height:36px!important;color-scheme:light dark!important;' +
  'top:clamp(-36px,(20px - min(max(100% - 100svh,100svh - 100%),max(100% - 100lvh,100lvh - 100%)))*99,0px)!important}' +
  '@supports(animation-timeline:scroll()){:host{position:fixed!important;top:0!important;transform:translateY(var(--willis-top))!important;animation:w linear both!important;' +
  'animation-timeline:scroll(root)!important;animation-range:0 36px!important}}' +
  '@keyframes w{to{--willis-top:-36px}}' +
  ':host(:is(:hover,:focus-within)){z-index:2147483647!important}' +
  '@media print{:host{display:none!important}}' +
  '*{all:unset;box-sizing:border-box}style{display:none}' +
  'aside{--i:#1b2024;--s:#545d65;--p:#f4f1e8;--l:#cdc7b6;--a:#0a5c49;display:block;position:relative;height:36px;' +
  'padding-right:36px;background:var(--p);border-bottom:1px solid var(--l);color:var(--i);' +
  'font:.875em/35px system-ui,sans-serif;text-align:start}' +
  '@media(prefers-color-scheme:dark){aside{--i:#eceae4;--s:#a9b1b8;--p:#1a1e21;--l:#4a525a;--a:#7fd3ba}}' +
  'details,p,form,div,li{display:block}b{font-weight:600}i{color:var(--s)}' +
  'summary{display:flex;gap:.7em;height:35px;padding-left:.8em;cursor:pointer;border-left:5px solid var(--a)}' +
  'summary::-webkit-details-marker{display:none}' +
  'summary b:first-child{flex:none;color:var(--a);font-weight:700}' +
  'summary span{flex:0 1 auto;min-width:0;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}' +
  'summary u{flex:none;margin-left:auto;padding-right:.4em;color:var(--a)}' +
  'summary u::after{content:" \\25be"}details[open]>summary u::after{content:" \\25b4"}' +
  'summary u,button,a{text-decoration:underline;text-underline-offset:.2em}' +
  'div{position:absolute;left:0;right:0;top:35px;max-height:calc(100vh - 36px);overflow-y:auto;padding:.5em .9em .8em 1.15em;' +
  'background:var(--p);border-bottom:1px solid var(--l);line-height:1.5;overflow-wrap:anywhere;box-shadow:0 .5em 1em #0003}' +
  'p{max-width:75em;margin:0 0 .4em}' +
  'ul{display:grid;gap:0 1.6em;grid-template-columns:repeat(auto-fill,minmax(min(19em,100%),1fr))}' +
  'button,a{display:inline-block;min-height:24px;margin-right:.6em;padding:.15em 0;color:var(--a);cursor:pointer}' +
  ':focus-visible{outline:2px solid;outline-offset:-2px;border-radius:2px}';

/**
 * Over plain HTTP browsers do not say that a page is to be shown within another one. What has less room than this is mostly a
 * part of a page, and needs all of it.
 */
const hasRoom = '(min-width:300px) and (min-height:251px)';

const closing = 'willis-bar:not(#w#w#w)>details';

/**
 * What the bar needs outside of its shadow tree: room above the page, until the bar is closed, and the looks of the button
 * that closes it, which is outside so that both trees see that: the inner one by a variable. Browsers that know no shadow trees in markup show nothing.
 */
export const roomStyle =
  // what is said of `all` cannot be animated, but by way of a variable
  '@property --willis-top{syntax:"<length>";inherits:false;initial-value:0px}' +
  'willis-bar:has(>template){display:none!important}' +
  `@media not all and ${hasRoom}{willis-bar{--willis-bar:none!important}}` +
  `@media screen and ${hasRoom}{html:has(>body>willis-bar>details[open]):not(:has(>body>willis-bar>template))` +
  '{padding-top:36px!important;box-sizing:border-box!important}}' +
  'willis-bar:not(:has(>details[open])){--willis-bar:none!important}' +
  `${closing},${closing}>summary{all:initial!important}` +
  `${closing}{display:block!important;position:absolute!important;top:0!important;right:0!important}` +
  `${closing}>summary{display:block!important;width:36px!important;height:35px!important;color:#1b2024!important;` +
  'font:18px/35px system-ui,sans-serif!important;text-align:center!important;cursor:pointer!important}' +
  // no text of the page for its scripts, nor for whoever copies all of it
  `${closing}>summary::before{all:initial!important;content:"\\2715"!important;color:inherit!important;font:inherit!important;` +
  'cursor:pointer!important}' +
  `${closing}>summary::-webkit-details-marker{display:none!important}` +
  `${closing}>summary:focus-visible{outline:2px solid!important;outline-offset:-2px!important}` +
  `@media(prefers-color-scheme:dark){${closing}>summary{color:#eceae4!important}}`;
