/// The JSON Schema (draft 2020-12) of one finding of `trend`: a line of the JSONL that a sink writes.
///
/// Programs may meet names that are not here in a later version; what is here stays.
public let findingSchema = """
  {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "A finding of the stage trend",
    "type": "object",
    "required": [
      "finding_id", "level", "type", "direction", "series", "anchor", "window", "baseline", "observed",
      "effect", "impact", "stats", "model", "data_quality", "explained_away", "earlier_changes", "explain", "incident", "related",
      "evidence", "rank", "text", "engine_version"
    ],
    "properties": {
      "finding_id": {
        "description": "The same for the same group, metric, type and day, in every run.",
        "type": "string",
        "pattern": "^[0-9a-f]{12}$"
      },
      "level": { "enum": ["notice", "warning", "critical"] },
      "type": {
        "description": "data_missing and open_bucket are known, not tested: their sizes are null.",
        "enum": [
          "trend", "shift", "spike", "dip", "burst", "level_change_unconfirmed", "season_break",
          "window_change", "data_missing", "open_bucket"
        ]
      },
      "direction": { "enum": ["up", "down", null] },
      "series": {
        "description": "The fields of the group, * for a total over one, and what is measured.",
        "type": "object",
        "required": ["metric", "kind", "grain", "zone"],
        "properties": {
          "metric": { "type": "string" },
          "kind": { "enum": ["count", "rate", "mean", "quantile", "distinct"] },
          "grain": { "enum": ["1d", "1w"] },
          "zone": { "description": "Of its days: a name, or local for a total over several.", "type": "string" }
        }
      },
      "anchor": {
        "description": "The likeliest day, and the interval it lies in (95 %).",
        "type": "object",
        "required": ["date", "ci_lo", "ci_hi"],
        "properties": {
          "date": { "$ref": "#/$defs/day" },
          "ci_lo": { "$ref": "#/$defs/day" },
          "ci_hi": { "$ref": "#/$defs/day" }
        }
      },
      "window": {
        "description": "First days of its first and last bucket; how many, and how many could be compared.",
        "type": "object",
        "required": ["from", "to", "buckets", "valid"],
        "properties": {
          "from": { "$ref": "#/$defs/day" },
          "to": { "$ref": "#/$defs/day" },
          "buckets": { "type": "integer" },
          "valid": { "type": "integer" }
        }
      },
      "baseline": { "anyOf": [{ "$ref": "#/$defs/estimate" }, { "type": "null" }] },
      "observed": {
        "description": "The estimate, with the number of records (n) and of events (k).",
        "type": ["object", "null"],
        "required": ["value", "lo", "hi", "k", "n"],
        "properties": {
          "value": { "$ref": "#/$defs/number" },
          "lo": { "$ref": "#/$defs/number" },
          "hi": { "$ref": "#/$defs/number" },
          "k": { "$ref": "#/$defs/number" },
          "n": { "$ref": "#/$defs/number" }
        }
      },
      "effect": {
        "type": ["object", "null"],
        "required": ["abs", "lo", "hi", "rel", "unit", "slope_per_week"],
        "properties": {
          "abs": { "$ref": "#/$defs/number" },
          "lo": { "$ref": "#/$defs/number" },
          "hi": { "$ref": "#/$defs/number" },
          "rel": { "description": "As a share of the baseline.", "$ref": "#/$defs/number" },
          "unit": { "type": "string" },
          "slope_per_week": { "anyOf": [{ "$ref": "#/$defs/estimate" }, { "type": "null" }] }
        }
      },
      "impact": {
        "description": "Records or events that the change comes to.",
        "type": ["object", "null"],
        "required": ["items", "lo", "hi", "share", "share_of"],
        "properties": {
          "items": { "$ref": "#/$defs/number" },
          "lo": { "$ref": "#/$defs/number" },
          "hi": { "$ref": "#/$defs/number" },
          "share": {
            "description": "items over what the total would have had in the window without them.",
            "$ref": "#/$defs/number"
          },
          "share_of": {
            "description": "The group of that total; null where there is none.",
            "type": ["object", "null"]
          }
        }
      },
      "stats": {
        "type": ["object", "null"],
        "required": [
          "test", "statistic", "p", "p_family", "q", "families", "selected", "phi", "vif", "tau2", "n_eff"
        ],
        "properties": {
          "test": { "type": "string" },
          "statistic": { "$ref": "#/$defs/number" },
          "p": { "$ref": "#/$defs/number" },
          "p_family": { "$ref": "#/$defs/number" },
          "q": { "description": "Corrected over all series of the report.", "$ref": "#/$defs/number" },
          "families": { "type": "integer" },
          "selected": { "type": "integer" },
          "phi": { "$ref": "#/$defs/number" },
          "vif": { "$ref": "#/$defs/number" },
          "tau2": { "$ref": "#/$defs/number" },
          "n_eff": { "$ref": "#/$defs/number" }
        }
      },
      "model": {
        "description": "What the series was taken for when it was tested.",
        "type": ["object", "null"],
        "required": ["label", "scale", "fit", "season"],
        "properties": {
          "label": { "enum": ["level", "line", "step", "steps", "halves"] },
          "scale": {
            "description": "Where changes add up: logarithms, log odds, or the values themselves.",
            "enum": ["log", "logit", "identity"]
          },
          "fit": {
            "description": "Twice the log-likelihood that each gains over one level, no price taken off.",
            "type": ["object", "null"],
            "required": ["line", "step", "steps"],
            "properties": {
              "line": { "$ref": "#/$defs/number" },
              "step": { "$ref": "#/$defs/number" },
              "steps": { "$ref": "#/$defs/number" }
            }
          },
          "season": {
            "description": "How far each weekday lies off the mean of all, Monday first, on the scale; before it changed, too. strength: its share of the variance, 0 to 1.",
            "type": ["object", "null"],
            "required": ["strength", "profile", "before"],
            "properties": {
              "strength": { "$ref": "#/$defs/number" },
              "profile": { "$ref": "#/$defs/week" },
              "before": { "anyOf": [{ "$ref": "#/$defs/week" }, { "type": "null" }] }
            }
          }
        }
      },
      "data_quality": {
        "description": "What of its series could be compared, from its first compared bucket on.",
        "type": "object",
        "required": ["buckets", "compared", "coverage", "missing", "open", "partial"],
        "properties": {
          "buckets": { "type": "integer" },
          "compared": { "type": "integer" },
          "coverage": { "$ref": "#/$defs/number" },
          "missing": {
            "type": "array",
            "items": {
              "type": "object",
              "required": ["from", "to"],
              "properties": { "from": { "$ref": "#/$defs/day" }, "to": { "$ref": "#/$defs/day" } }
            }
          },
          "open": { "type": "array", "items": { "$ref": "#/$defs/day" } },
          "partial": { "type": "array", "items": { "$ref": "#/$defs/day" } }
        }
      },
      "explained_away": { "type": "array", "items": { "type": "string" } },
      "earlier_changes": {
        "description": "Of a shift: the steps of the same series in front of it, the first one first. Baseline and effect are those of the last.",
        "type": "array",
        "items": {
          "type": "object",
          "required": ["date", "from", "to"],
          "properties": {
            "date": { "$ref": "#/$defs/day" },
            "from": { "description": "The level up to then.", "$ref": "#/$defs/number" },
            "to": { "description": "The level from then to the next step.", "$ref": "#/$defs/number" }
          }
        }
      },
      "explain": { "description": "What carried it, by the segments.", "type": ["object", "null"] },
      "incident": {
        "type": ["object", "null"],
        "required": ["incident_id", "scope", "groups", "of"],
        "properties": {
          "incident_id": { "type": "string" },
          "scope": { "type": "object" },
          "groups": { "type": "integer" },
          "of": { "type": "integer" }
        }
      },
      "related": {
        "type": "array",
        "items": {
          "type": "object",
          "required": ["finding_id", "relation"],
          "properties": {
            "finding_id": { "type": "string" },
            "relation": {
              "description": "total, part, sibling: the same change there. moves_with, leads, follows: what is left of both series moves together, or that of this one first, or last.",
              "enum": ["total", "part", "sibling", "moves_with", "leads", "follows"]
            },
            "lag": {
              "description": "Buckets that the other series comes after this one.",
              "type": "integer"
            },
            "r": { "$ref": "#/$defs/number" },
            "p": { "$ref": "#/$defs/number" },
            "q": { "description": "Corrected over all pairs that were asked.", "$ref": "#/$defs/number" }
          }
        }
      },
      "evidence": {
        "description": "Records of the window, and of the time that it is held against.",
        "type": "array",
        "items": {
          "type": "object",
          "required": ["role", "date", "source", "shard", "line", "byte_offset", "why"],
          "properties": {
            "role": { "enum": ["exemplar", "control"] },
            "date": { "$ref": "#/$defs/day" },
            "source": { "type": "string" },
            "shard": { "type": "string" },
            "line": { "description": "From 1.", "type": "integer" },
            "byte_offset": {
              "description": "Where the line begins in the decompressed shard, from 0.",
              "type": "integer"
            },
            "why": { "type": "string" }
          }
        }
      },
      "annotations": {
        "description": "What is known to have happened then; only where the spec names a file of it.",
        "type": "array",
        "items": {
          "type": "object",
          "required": ["label", "from", "to"],
          "properties": {
            "label": { "type": "string" },
            "from": { "$ref": "#/$defs/day" },
            "to": { "$ref": "#/$defs/day" }
          }
        }
      },
      "rank": {
        "type": "object",
        "required": ["position", "score", "material", "reason"],
        "properties": {
          "position": { "description": "In the order of the report, from 1.", "type": "integer" },
          "score": {
            "description": "Orders the findings of a level: the end of the impact nearest to zero, times the severity of the metric.",
            "$ref": "#/$defs/number"
          },
          "material": { "type": "boolean" },
          "reason": { "type": "string" }
        }
      },
      "text": {
        "type": "object",
        "required": ["headline", "detail"],
        "properties": { "headline": { "type": "string" }, "detail": { "type": "string" } }
      },
      "engine_version": { "type": "string" }
    },
    "$defs": {
      "day": { "type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$" },
      "number": { "type": ["number", "null"] },
      "week": {
        "type": "array",
        "items": { "$ref": "#/$defs/number" },
        "minItems": 7,
        "maxItems": 7
      },
      "estimate": {
        "description": "With its interval (95 %).",
        "type": "object",
        "required": ["value", "lo", "hi"],
        "properties": {
          "value": { "$ref": "#/$defs/number" },
          "lo": { "$ref": "#/$defs/number" },
          "hi": { "$ref": "#/$defs/number" }
        }
      }
    }
  }

  """
