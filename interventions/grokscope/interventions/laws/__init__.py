"""Laws of the time to generalize, each with the premises that it rests on, fitted with the unreached runs."""
