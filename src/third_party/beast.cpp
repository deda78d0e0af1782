// Boost.Beast, compiled here and nowhere else.
#include <boost/beast/src.hpp>
