"""What answers are made from: experiments read from a store, judged and grouped, with what people decided."""
