import { demo, label, text } from 'origami-lib'
import { SentimentIntensityAnalyzer } from 'vader-sentiment'

export default demo({
  title: 'Sentiment',
  description:
    'How a sentence feels, by VADER: a lexicon of words that people rated, and rules for how they work together.',
  inputs: { review: text({ multiline: true, maxLength: 5000, placeholder: 'What a day', label: 'Review' }) },
  outputs: { mood: label() },
  predict({ review }) {
    const { pos, neu, neg } = SentimentIntensityAnalyzer.polarity_scores(review)
    return { positive: pos, neutral: neu, negative: neg }
  },
  examples: [
    { review: 'The paper was a joy to read, and the demo just works!' },
    { review: 'It crashed twice and I lost my results.' },
    { review: 'The meeting is at ten.' },
  ],
})
