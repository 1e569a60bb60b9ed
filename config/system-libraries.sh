#!/usr/bin/env bash
# Makes sure of the few system libraries that MediaPipe and OpenCV load; with `browser`, also of the Chromium that the
# page's tests look through, and of a font for every language of it. Installs what is missing where it may (root, or sudo
# without a password); elsewhere names the command.
set -u

declare -A package=(
  [libGL.so.1]=libgl1
  [libEGL.so.1]=libegl1
  [libGLESv2.so.2]=libgles2
  [libglib-2.0.so.0]=libglib2.0-0
)

missing=()
known=$( (ldconfig -p || /sbin/ldconfig -p) 2>/dev/null)
for library in "${!package[@]}"; do
  grep -q "$library" <<<"$known" || missing+=("${package[$library]}")
done
if [ "${1:-}" = browser ]; then
  command -v chromium >/dev/null || command -v google-chrome >/dev/null || missing+=(chromium)
  [ -n "$(find /usr/share/fonts ~/.fonts -iname '*cjk*' -print -quit 2>/dev/null)" ] || missing+=(fonts-noto-cjk)
fi
[ ${#missing[@]} -eq 0 ] && exit 0

command="apt-get install -y --no-install-recommends ${missing[*]}"
echo "system libraries missing: ${missing[*]}"
run=()
if [ "$(id -u)" -ne 0 ]; then
  if sudo -n true 2>/dev/null; then run=(sudo -n); else
    echo "install them with: sudo $command" >&2
    exit 1
  fi
fi
"${run[@]}" apt-get update -q && "${run[@]}" env DEBIAN_FRONTEND=noninteractive $command && exit 0
echo "could not install them; try: sudo $command" >&2
exit 1
