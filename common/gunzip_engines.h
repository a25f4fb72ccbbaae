/* gunzip_engines.h - the engines that gunzip.c chooses from. */
#ifndef OCCY_COMMON_GUNZIP_ENGINES_H
#define OCCY_COMMON_GUNZIP_ENGINES_H

#include "common/gunzip.h"

extern const struct gunzip_engine gunzip_isal; /* only where HAVE_ISAL */
extern const struct gunzip_engine gunzip_zlib;

#endif
