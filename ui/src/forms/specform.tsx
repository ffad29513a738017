// A form made from a connector's spec.
import Form from "@rjsf/core";
import type { RJSFSchema } from "@rjsf/utils";
import { useMemo, useRef, useState, type ReactNode } from "react";
import { ChoiceField } from "./choice";
import { ArrayTemplate, DescriptionTemplate, ErrorTemplate, FieldTemplate, ObjectTemplate } from "./templates";
import { formSchemaOf, uiSchemaOf, type ConfigData, type SpecSchema } from "./uischema";
import { validatorOf } from "./validator";
import { LongTextWidget, SecretTextWidget, SecretWidget, SwitchWidget } from "./widgets";

interface Props {
    id: string;
    spec: RJSFSchema;
    value: ConfigData;
    onChange: (value: ConfigData) => void;
    onSubmit: (value: ConfigData) => void;
    /** Buttons; one of them submits. */
    children: ReactNode;
}

/** What is typed is checked once a field was left; before that nobody is told that it is wrong. */
export function SpecForm({ id, spec, value, onChange, onSubmit, children }: Props) {
    const schema = useMemo(() => formSchemaOf(spec as SpecSchema), [spec]);
    const uiSchema = useMemo(() => ({ ...uiSchemaOf(spec as SpecSchema), "ui:title": "", "ui:description": "" }), [spec]);
    const validator = useMemo(() => validatorOf(spec as SpecSchema), [spec]);
    const [touched, setTouched] = useState(false);
    const place = useRef<HTMLDivElement>(null);

    /** To the first field that is wrong, so that nobody has to look for it. */
    function showFirstProblem() {
        requestAnimationFrame(() => place.current?.querySelector<HTMLElement>('.wrong input, .wrong textarea, .wrong select')?.focus());
    }

    return (
        <div ref={place}>
            <Form<ConfigData, RJSFSchema>
                id={id}
                schema={schema}
                uiSchema={uiSchema}
                formData={value}
                validator={validator}
                fields={{ ChoiceField }}
                liveValidate={touched}
                showErrorList={false}
                noHtml5Validate
                experimental_defaultFormStateBehavior={{
                    constAsDefaults: "always",
                    emptyObjectFields: "populateAllDefaults",
                    arrayMinItems: { populate: "requiredOnly" },
                }}
                templates={{
                    FieldTemplate,
                    FieldErrorTemplate: ErrorTemplate,
                    ObjectFieldTemplate: ObjectTemplate,
                    ArrayFieldTemplate: ArrayTemplate,
                    DescriptionFieldTemplate: DescriptionTemplate,
                }}
                widgets={{ PasswordWidget: SecretWidget, LongTextWidget, SecretTextWidget, CheckboxWidget: SwitchWidget }}
                onChange={(event) => onChange(event.formData ?? {})}
                onBlur={() => setTouched(true)}
                onSubmit={(event) => onSubmit(event.formData ?? {})}
                onError={() => {
                    setTouched(true);
                    showFirstProblem();
                }}
            >
                {children}
            </Form>
        </div>
    );
}
