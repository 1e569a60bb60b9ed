# SPDX-License-Identifier: Apache-2.0
"""Whether every text of a page that a browser shows lies where it can be read; see `overflowing`."""

from playwright.sync_api import Page

SCRIPT = """() => {
  const TOLERANCE_PX = 2, SMALLEST_PX = 12;
  const complaints = [];
  const visible = (node) => {
    if (node.closest('.unseen, option, #lost')) return false;
    const style = getComputedStyle(node);
    return style.visibility !== 'hidden' && node.getClientRects().length > 0;
  };
  const name = (node) => node.id ? '#' + node.id : node.tagName.toLowerCase() + '.' + (node.className || '');
  const inside = (rect, box, text, node, where) => {
    const over = Math.max(box.left - rect.left, rect.right - box.right, box.top - rect.top, rect.bottom - box.bottom);
    if (over > TOLERANCE_PX) complaints.push(`${name(node)} "${text}" leaves ${where} by ${Math.round(over)} px`);
  };
  const texts = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim();
    const node = walker.currentNode.parentElement;
    if (!text || !visible(node)) continue;
    if (getComputedStyle(node).textOverflow === 'ellipsis') continue;
    const range = document.createRange();
    range.selectNodeContents(walker.currentNode);
    const scrolls = node.closest('[data-scrolls]');
    const size = parseFloat(getComputedStyle(node).fontSize);
    for (const line of range.getClientRects()) {
      if (line.width < 1) continue;
      const middle = (line.top + line.bottom) / 2;  // letters are as high as their size, whatever the line's height
      const rect = new DOMRect(line.left, middle - size / 2, line.width, size);
      for (let box = node; box && box !== scrolls; box = box.parentElement) {
        if (box === node || getComputedStyle(box).overflow !== 'visible' || box.tagName === 'BUTTON') {
          if (getComputedStyle(box).display === 'inline') continue;
          inside(rect, box.getBoundingClientRect(), text, node, name(box));
        }
      }
      if (!scrolls) {
        inside(rect, { left: 0, top: 0, right: innerWidth, bottom: innerHeight }, text, node, 'the window');
        if (!node.closest('#stage, #note')) texts.push({ rect, text, node });
      }
    }
  }
  for (let i = 0; i < texts.length; i += 1) {
    for (let k = i + 1; k < texts.length; k += 1) {
      const [a, b] = [texts[i], texts[k]];
      if (a.node === b.node) continue;
      const wide = Math.min(a.rect.right, b.rect.right) - Math.max(a.rect.left, b.rect.left);
      const high = Math.min(a.rect.bottom, b.rect.bottom) - Math.max(a.rect.top, b.rect.top);
      const deep = 0.35 * Math.min(a.rect.height, b.rect.height);
      if (wide > TOLERANCE_PX && high > deep) complaints.push(`"${a.text}" lies on "${b.text}"`);
    }
  }
  for (const small of document.querySelectorAll('#why, .how, .task, #hint')) {
    const size = parseFloat(getComputedStyle(small).fontSize);
    if (visible(small) && size < SMALLEST_PX) complaints.push(`${name(small)} is too small to read`);
  }
  if (document.documentElement.scrollHeight > innerHeight + 1) complaints.push('the page scrolls');
  return [...new Set(complaints)];
}"""


def overflowing(page: Page) -> list[str]:
    """What can't be read on the page as it is now: text that leaves its box or the window, lies on other text, or had
    to be made too small; and whether the page scrolls. Empty: all is well.

    Text in lists that scroll (``data-scrolls``) may leave them; names that are cut on purpose (ellipsis) are fine.
    """
    found: list[str] = page.evaluate(SCRIPT)
    return found
