#!/bin/sh
# Qt's system libraries: installed where we may (root on Debian and its kin), else named with the exact command.
# Usage: tools/system-libraries.sh [screenshots]     Ends with 1 only if something is missing that nothing works without.
set -u

[ "$(uname -s)" = Linux ] || exit 0

ldconfig=$(command -v ldconfig || echo /sbin/ldconfig)
known=$("$ldconfig" -p 2>/dev/null)
needed=""   # without these no window and no offscreen picture
wanted=""   # without these no window on an X server, or no text

library() { # soname, Debian package, needed|wanted
    case "$known" in *"$1"*) return ;; esac
    if [ "$3" = needed ]; then needed="$needed $2"; else wanted="$wanted $2"; fi
}

library libEGL.so.1 libegl1 needed
library libGL.so.1 libgl1 needed
library libglib-2.0.so.0 libglib2.0-0 needed
library libfontconfig.so.1 libfontconfig1 needed
library libfreetype.so.6 libfreetype6 needed
library libdbus-1.so.3 libdbus-1-3 needed
library libxkbcommon.so.0 libxkbcommon0 needed
library libxkbcommon-x11.so.0 libxkbcommon-x11-0 wanted
library libX11-xcb.so.1 libx11-xcb1 wanted
library libxcb-cursor.so.0 libxcb-cursor0 wanted
library libxcb-icccm.so.4 libxcb-icccm4 wanted
library libxcb-image.so.0 libxcb-image0 wanted
library libxcb-keysyms.so.1 libxcb-keysyms1 wanted
library libxcb-randr.so.0 libxcb-randr0 wanted
library libxcb-render.so.0 libxcb-render0 wanted
library libxcb-render-util.so.0 libxcb-render-util0 wanted
library libxcb-shape.so.0 libxcb-shape0 wanted
library libxcb-shm.so.0 libxcb-shm0 wanted
library libxcb-sync.so.1 libxcb-sync1 wanted
library libxcb-xfixes.so.0 libxcb-xfixes0 wanted
library libxcb-xinerama.so.0 libxcb-xinerama0 wanted
library libxcb-xkb.so.1 libxcb-xkb1 wanted

if command -v fc-list >/dev/null 2>&1; then
    fonts=$(fc-list : family)
else
    fonts=""
    wanted="$wanted fontconfig"
fi
# Without any font, text is boxes and no message says so.
[ -n "$fonts" ] || wanted="$wanted fonts-dejavu-core"
if [ "${1:-}" = screenshots ]; then
    case "$fonts" in *Inter*) ;; *) wanted="$wanted fonts-inter" ;; esac
    # Installing it is 55 MB: only pictures need Chinese of one look.
    case "$fonts" in *"Noto Sans CJK SC"*) ;; *) wanted="$wanted fonts-noto-cjk" ;; esac
fi

# Debian parts venv from python3. A python3 that is not Debian's brings its own.
if command -v python3 >/dev/null 2>&1 && ! python3 -c 'import ensurepip, venv' >/dev/null 2>&1; then
    wanted="$wanted python3-venv"
fi

missing="$needed$wanted"
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
    echo "Qt may miss system libraries. What Debian calls:$missing" >&2
    [ -z "$needed" ]
    exit
fi

if [ "$(id -u)" != 0 ]; then
    echo "System packages are missing. Install them with:" >&2
    echo "    sudo apt-get install --no-install-recommends$missing" >&2
    [ -z "$needed" ]
    exit
fi

echo "Installing system packages:$missing"
log=$(mktemp)
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086  # a list of words
if { apt-get -qq update && apt-get -qq install -y --no-install-recommends $missing; } >"$log" 2>&1 </dev/null; then
    rm -f "$log"
else
    tail -n 20 "$log" >&2
    rm -f "$log"
    echo "Could not install:$missing" >&2
    [ -z "$needed" ]
fi
